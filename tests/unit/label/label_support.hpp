#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tuile/core/ground_truth.hpp"
#include "tuile/label/label.hpp"

namespace tuile::label::test {

using Ring = std::vector<Position>;
using Polygon = std::vector<Ring>;  ///< outlines and holes alike

inline LayerTruth layer_of(const std::string& name, const std::vector<Polygon>& polygons) {
  LayerTruth layer;
  layer.layer = name;
  layer.outcome = polygons.empty() ? Outcome::confirmed_empty : Outcome::data;
  LayerAreas& areas = layer.areas;
  for (const Polygon& polygon : polygons) {
    Bounds bounds;
    for (const Ring& ring : polygon) {
      for (const Position& p : ring) {
        areas.vertices.push_back(p);
        bounds = {std::min(bounds.min_x, p.x), std::min(bounds.min_y, p.y), std::max(bounds.max_x, p.x), std::max(bounds.max_y, p.y)};
      }
      areas.ring_begin.push_back(static_cast<std::uint32_t>(areas.vertices.size()));
    }
    areas.area_begin.push_back(static_cast<std::uint32_t>(areas.ring_begin.size() - 1));
    areas.ids.push_back("ID" + std::to_string(100000000 + areas.ids.size()));
    areas.bounds.push_back(bounds);
    areas.attributes.emplace_back();
  }
  return layer;
}

inline PointBlock block_of(const Grid& grid, const std::vector<GridPoint>& units, std::uint8_t file_class = 1) {
  PointBlock block;
  block.grid = grid;
  block.units = Buffer<GridPoint>(units.size());
  std::copy(units.begin(), units.end(), block.units.begin());
  block.classification = Buffer<std::uint8_t>(units.size(), file_class);
  return block;
}

inline Position position_of(const Grid& grid, const GridPoint& p) {
  return {static_cast<double>(grid.origin[0] + p.x) * grid.scale, static_cast<double>(grid.origin[1] + p.y) * grid.scale};
}

/// Features of `count` points, row-major as given.
inline FeatureBlock features_of(const std::vector<std::string>& names, std::size_t count, const std::vector<float>& values) {
  FeatureBlock block;
  block.names = names;
  block.points = count;
  block.values = Buffer<float>(values.size());
  std::copy(values.begin(), values.end(), block.values.begin());
  return block;
}

__extension__ typedef __int128 Wide;

/// A coordinate as a whole number of 2^-36 m: exact for what the tests use (multiples of it below 2^26 m); fails the test otherwise.
inline std::int64_t whole(double metres) {
  const double scaled = std::ldexp(metres, 36);
  if (std::abs(scaled) >= 0x1p62 || scaled != std::nearbyint(scaled))
    throw std::logic_error("coordinate " + std::to_string(metres) + " does not suit the oracle");
  return static_cast<std::int64_t>(scaled);
}

/// Twice the signed area of the triangle a, b, p, in whole numbers: exact.
inline Wide turn(const Position& a, const Position& b, const Position& p) {
  const Wide ax = whole(a.x), ay = whole(a.y), bx = whole(b.x), by = whole(b.y), px = whole(p.x), py = whole(p.y);
  return (bx - ax) * (py - ay) - (by - ay) * (px - ax);
}

/// The even-odd test with every edge, as the header states it.
inline bool inside_by_parity(const Polygon& polygon, const Position& p) {
  bool inside = false;
  for (const Ring& ring : polygon) {
    for (std::size_t i = 0; i < ring.size(); ++i) {
      const Position &a = ring[i], &b = ring[(i + 1) % ring.size()];
      if ((a.y <= p.y) == (b.y <= p.y)) continue;
      const Wide t = turn(a, b, p);
      if (a.y < b.y ? t > 0 : t < 0) inside = !inside;
    }
  }
  return inside;
}

/// How often the ring goes around p, by the sum of quadrant steps; nothing where p lies on the ring.
inline std::optional<int> winding(const Ring& ring, const Position& p) {
  const auto quadrant = [&](const Position& v) { return v.x > p.x ? (v.y > p.y ? 0 : 3) : (v.y > p.y ? 1 : 2); };
  int quarters = 0;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const Position &a = ring[i], &b = ring[(i + 1) % ring.size()];
    const Wide t = turn(a, b, p);
    if (t == 0 && std::min(a.x, b.x) <= p.x && p.x <= std::max(a.x, b.x) && std::min(a.y, b.y) <= p.y && p.y <= std::max(a.y, b.y))
      return std::nullopt;
    switch ((quadrant(b) - quadrant(a) + 4) % 4) {
      case 1: quarters += 1; break;
      case 3: quarters -= 1; break;
      case 2: quarters += t > 0 ? 2 : -2; break;
      default: break;
    }
  }
  return quarters / 4;
}

/// A simple ring around a centre: as many corners, at radii between `inner` and `outer`.
template <class Random>
Ring star(Random& random, Position centre, double inner, double outer, int corners) {
  std::uniform_real_distribution<double> radius(inner, outer), jitter(0.0, 0.9);
  Ring ring;
  for (int i = 0; i < corners; ++i) {
    const double angle = 2 * std::numbers::pi * (i + jitter(random)) / corners, r = radius(random);
    ring.push_back({centre.x + r * std::cos(angle), centre.y + r * std::sin(angle)});
  }
  return ring;
}

/// Rows that LabelBlocks must agree on.
inline bool same(const LabelBlock& a, const LabelBlock& b) {
  return std::equal(a.labels.begin(), a.labels.end(), b.labels.begin(), b.labels.end()) &&
         std::equal(a.source.begin(), a.source.end(), b.source.begin(), b.source.end()) &&
         std::equal(a.object.begin(), a.object.end(), b.object.begin(), b.object.end());
}

}  // namespace tuile::label::test
