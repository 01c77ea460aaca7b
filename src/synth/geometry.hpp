#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

#include "tuile/synth/town.hpp"

namespace tuile::synth {

/// A pulse near the ground: at height z it is at (x − tilt·(z − ground), y). Swaths fly north or south, so rays lean in x only.
struct Ray {
  double x, y, ground, tilt;
  double x_at(double z) const noexcept { return x - tilt * (z - ground); }
};

/// The heights between which a ray runs inside a convex object.
struct Crossing {
  double upper, lower;
  bool wall = false;  ///< entered through a vertical side
};

/// Where the ray runs inside the solid; nothing where it misses. Clips the ray by the solid's planes.
inline std::optional<Crossing> cross(const Ray& ray, const Solid& solid) noexcept {
  double upper = solid.eave + solid.rise, lower = solid.bottom;
  bool wall = false;
  const double dx = ray.x - solid.centre.x + ray.tilt * ray.ground, dy = ray.y - solid.centre.y;
  // Along the axes of the rectangle, position(z) = start + slope·z.
  const double u0 = dx * solid.axis.x + dy * solid.axis.y, du = -ray.tilt * solid.axis.x;
  const double v0 = dy * solid.axis.x - dx * solid.axis.y, dv = ray.tilt * solid.axis.y;
  const auto clip_wall = [&](double start, double slope, double half) {
    if (std::abs(slope) < 1e-9) return std::abs(start + slope * lower) <= half;
    const double a = (-half - start) / slope, b = (half - start) / slope;
    if (std::max(a, b) < upper) {
      upper = std::max(a, b);
      wall = true;
    }
    lower = std::max(lower, std::min(a, b));
    return upper > lower;
  };
  if (!clip_wall(u0, du, solid.half_length) || !clip_wall(v0, dv, solid.half_width)) return std::nullopt;
  // A roof plane: z ≤ eave + steepness · (half − s·position(z)).
  const auto clip_roof = [&](double start, double slope, double half, double steepness) {
    for (const double side : {-1.0, 1.0}) {
      const double z = (solid.eave + steepness * (half - side * start)) / (1 + steepness * side * slope);
      if (z < upper) {
        upper = z;
        wall = false;
      }
    }
  };
  if (solid.roof != RoofShape::flat) {
    const double steepness = solid.rise / solid.half_width;
    clip_roof(v0, dv, solid.half_width, steepness);
    if (solid.roof == RoofShape::hipped) clip_roof(u0, du, solid.half_length, steepness);
  }
  if (upper <= lower) return std::nullopt;
  return Crossing{upper, lower, wall};
}

/// Where the ray runs inside a crown.
inline std::optional<Crossing> cross(const Ray& ray, const Tree& tree) noexcept {
  // With w = (z − centre) / half height: ((p − q·w)² + d²) / r² + w² ≤ 1.
  const double inverse = 1 / tree.crown_radius;
  const double p = (ray.x_at(tree.crown_centre) - tree.position.x) * inverse, d = (ray.y - tree.position.y) * inverse;
  const double q = ray.tilt * tree.crown_half_height * inverse;
  const double a = 1 + q * q, b = -p * q, c = p * p + d * d - 1;
  const double discriminant = b * b - a * c;
  if (discriminant <= 0) return std::nullopt;
  const double root = std::sqrt(discriminant);
  return Crossing{tree.crown_centre + (-b + root) / a * tree.crown_half_height,
                  tree.crown_centre + (-b - root) / a * tree.crown_half_height};
}

/// True inside (or on) a convex counter-clockwise ring.
inline bool inside(std::span<const Vertex> ring, double x, double y) noexcept {
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const Vertex &a = ring[i], &b = ring[i + 1 == ring.size() ? 0 : i + 1];
    if ((b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x) < 0) return false;
  }
  return true;
}

inline double squared_distance_to_segment(const Vertex& a, const Vertex& b, double x, double y) noexcept {
  const double ex = b.x - a.x, ey = b.y - a.y, px = x - a.x, py = y - a.y;
  const double along = std::clamp((px * ex + py * ey) / (ex * ex + ey * ey), 0.0, 1.0);
  const double dx = px - along * ex, dy = py - along * ey;
  return dx * dx + dy * dy;
}

template <class Ring>
Bounds box_of(const Ring& ring) noexcept {
  Bounds box;
  for (const Vertex& vertex : ring) {
    box = {std::min(box.min_x, vertex.x), std::min(box.min_y, vertex.y), std::max(box.max_x, vertex.x), std::max(box.max_y, vertex.y)};
  }
  return box;
}

}  // namespace tuile::synth
