#pragma once

#include <cstdint>

#include "compute/mesh.hpp"

/// Heights of a ground surface at any place: host and device code, the same bits on both.
namespace tuile::compute {

/// A ground surface as plain arrays in host or device memory that another owns. With triangles: their triangulation. Without: its points
/// lie on one line, in lexicographic order, or there is none at all.
struct SurfaceView {
  MeshView mesh;
  /// One triangle to start a walk from per square of the plane, row by row.
  const std::int32_t* hints = nullptr;
  std::int64_t hint_columns = 0, hint_rows = 0;
  int hint_shift = 0;                 ///< a square is 2^hint_shift units wide
  std::int32_t min_x = 0, min_y = 0;  ///< of the first square

  bool empty() const noexcept { return mesh.point_count == 0; }
};

namespace surface {

TUILE_HD std::int64_t magnitude(std::int64_t value) { return value < 0 ? -value : value; }
TUILE_HD std::int64_t clamped(std::int64_t value, std::int64_t most) { return value < 0 ? 0 : value > most ? most : value; }

/// To the nearest double, of two equally near ones the even: what a compiler's own conversion does on the host, written out because
/// a device's is another one. |value| < 2^127.
TUILE_HD double to_double(Int128 value) {
  const auto low = static_cast<std::int64_t>(value);
  if (low == value) return static_cast<double>(low);
  const bool negative = value < 0;
  Int128 rest = negative ? -value : value;
  double unit = 1;
  // Bits beyond 62 are kept as one: rounding only asks whether any is set.
  while ((rest >> 62) != 0) {
    rest = (rest >> 1) | (rest & 1);
    unit *= 2;
  }
  const double rounded = static_cast<double>(static_cast<std::int64_t>(rest)) * unit;
  return negative ? -rounded : rounded;
}

TUILE_HD double ratio(Int128 numerator, Int128 denominator) { return to_double(numerator) / to_double(denominator); }

TUILE_HD double between(const GridPoint& a, const GridPoint& b, double share_of_b) {
  return a.z + static_cast<double>(std::int64_t{b.z} - a.z) * share_of_b;
}

/// On the segment, by the axis along which it is longer. The ends are taken in lexicographic order, so that both triangles that
/// share an edge give the same bits.
TUILE_HD double on_edge(const GridPoint& one, const GridPoint& other, const GridPoint& at) {
  const bool turned = lexicographically_less(other, one);
  const GridPoint &a = turned ? other : one, &b = turned ? one : other;
  const std::int64_t dx = std::int64_t{b.x} - a.x, dy = std::int64_t{b.y} - a.y;
  return magnitude(dx) >= magnitude(dy) ? between(a, b, ratio(std::int64_t{at.x} - a.x, dx))
                                        : between(a, b, ratio(std::int64_t{at.y} - a.y, dy));
}

TUILE_HD Int128 squared_distance(const GridPoint& a, const GridPoint& b) {
  const std::int64_t dx = std::int64_t{a.x} - b.x, dy = std::int64_t{a.y} - b.y;
  return Int128{dx} * dx + Int128{dy} * dy;
}

TUILE_HD std::int64_t hint_of(const SurfaceView& ground, const GridPoint& at) {
  const std::int64_t column = clamped((std::int64_t{at.x} - ground.min_x) >> ground.hint_shift, ground.hint_columns - 1);
  const std::int64_t row = clamped((std::int64_t{at.y} - ground.min_y) >> ground.hint_shift, ground.hint_rows - 1);
  return row * ground.hint_columns + column;
}

/// The triangle to walk from: the one found for the query before where that is near, else the hint's. remembered: -1 for none
TUILE_HD std::int32_t start_for(const SurfaceView& ground, const GridPoint& at, std::int32_t remembered) {
  if (remembered >= 0) {
    const std::int32_t* const vertex = ground.mesh.triangles[remembered].vertex;
    std::int32_t finite = vertex[0] > vertex[1] ? vertex[0] : vertex[1];
    if (vertex[2] > finite) finite = vertex[2];
    const GridPoint& corner = ground.mesh.points[finite];
    const std::int64_t near = std::int64_t{2} << ground.hint_shift;
    if (magnitude(std::int64_t{corner.x} - at.x) < near && magnitude(std::int64_t{corner.y} - at.y) < near) return remembered;
  }
  return ground.hints[hint_of(ground, at)];
}

/// How far along the line of the points (x, y) has its foot.
TUILE_HD Int128 along(const GridPoint& first, const GridPoint& last, const GridPoint& point) {
  const std::int64_t dx = std::int64_t{last.x} - first.x, dy = std::int64_t{last.y} - first.y;
  return Int128{dx} * (std::int64_t{point.x} - first.x) + Int128{dy} * (std::int64_t{point.y} - first.y);
}

/// Linear between the two points whose feet on the line enclose the foot of (x, y), the end's height beyond the ends.
TUILE_HD double height_on_line(const MeshView& line, const GridPoint& at) {
  const GridPoint &first = line.points[0], &last = line.points[line.point_count - 1];
  const Int128 foot = along(first, last, at);
  if (line.point_count == 1 || foot <= 0) return first.z;
  if (foot >= along(first, last, last)) return last.z;
  std::int32_t before = 0, after = line.point_count - 1;  // foot lies in [before, after)
  while (after - before > 1) {
    const std::int32_t middle = before + (after - before) / 2;
    (along(first, last, line.points[middle]) <= foot ? before : after) = middle;
  }
  const GridPoint &a = line.points[before], &b = line.points[after];
  const Int128 from = along(first, last, a);
  return between(a, b, ratio(foot - from, along(first, last, b) - from));
}

/// On a vertex its height, on an edge linear along the edge, else by areas. Vertices are taken in an order of their own, so the bits
/// depend on the triangle alone.
TUILE_HD double height_inside(const MeshView& mesh, const MeshTriangle& triangle, const GridPoint& at) {
  int lead = 0;
  for (int slot = 1; slot < 3; ++slot) {
    if (lexicographically_less(mesh.points[triangle.vertex[slot]], mesh.points[triangle.vertex[lead]])) lead = slot;
  }
  const GridPoint& a = mesh.points[triangle.vertex[lead]];
  const GridPoint& b = mesh.points[triangle.vertex[next_slot(lead)]];
  const GridPoint& c = mesh.points[triangle.vertex[previous_slot(lead)]];
  // Inside the triangle an area is at most 2^61: the triangulation is not wider than 2^30.
  const auto area_a = static_cast<std::int64_t>(orient2d(b, c, at));
  const auto area_b = static_cast<std::int64_t>(orient2d(c, a, at));
  const auto area_c = static_cast<std::int64_t>(orient2d(a, b, at));
  // A vertex lies on two edges; on_edge gives its exact height from either.
  if (area_a == 0) return on_edge(b, c, at);
  if (area_b == 0) return on_edge(c, a, at);
  if (area_c == 0) return on_edge(a, b, at);
  const auto whole = static_cast<double>(area_a + area_b + area_c);
  const auto rise_b = static_cast<double>(std::int64_t{b.z} - a.z), rise_c = static_cast<double>(std::int64_t{c.z} - a.z);
  return a.z + (rise_b * static_cast<double>(area_b) + rise_c * static_cast<double>(area_c)) / whole;
}

/// The vertex nearest to a point outside the hull; ties: smallest x, then y. `triangle` is the unbounded triangle that `at` was found in,
/// and becomes one around the result. Every vertex but the nearest has a Delaunay neighbour that is nearer (by distance, then x, then y).
TUILE_HD std::int32_t nearest_vertex(const MeshView& mesh, const GridPoint& at, std::int32_t& triangle) {
  std::int32_t best = mesh.triangles[triangle].vertex[next_slot(infinite_slot(mesh.triangles[triangle]))];
  Int128 best_distance = squared_distance(mesh.points[best], at);
  for (bool moved = true; moved;) {
    moved = false;
    const std::int32_t centre = best;
    std::int32_t spoke = triangle;
    do {
      const MeshTriangle& here = mesh.triangles[spoke];
      const int after = next_slot(here.vertex[0] == centre ? 0 : here.vertex[1] == centre ? 1 : 2);
      const std::int32_t other = here.vertex[after];
      if (other != infinite_vertex) {
        const Int128 distance = squared_distance(mesh.points[other], at);
        if (distance < best_distance || (distance == best_distance && lexicographically_less(mesh.points[other], mesh.points[best]))) {
          best = other;
          best_distance = distance;
          triangle = spoke;
          moved = true;
        }
      }
      spoke = here.neighbour[after];
    } while (spoke != triangle && !moved);
  }
  return best;
}

}  // namespace surface

/// Ground height at (x, y), units (not rounded). The surface must not be empty.
/// triangle   where the query before ended, -1 at first; where this one ends. The result does not depend on it, only the time.
TUILE_HD double surface_height(const SurfaceView& ground, std::int32_t x, std::int32_t y, std::int32_t& triangle) {
  const GridPoint at{x, y, 0};
  if (ground.mesh.triangle_count == 0) return surface::height_on_line(ground.mesh, at);
  triangle = locate(ground.mesh, at, surface::start_for(ground, at, triangle));
  const MeshTriangle& found = ground.mesh.triangles[triangle];
  if (is_unbounded(found)) return ground.mesh.points[surface::nearest_vertex(ground.mesh, at, triangle)].z;
  return surface::height_inside(ground.mesh, found, at);
}

}  // namespace tuile::compute
