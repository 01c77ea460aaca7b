#pragma once

#include <string_view>
#include <vector>

#include "tuile/core/ground_truth.hpp"

namespace tuile::truth {

using Ring = std::vector<Position>;
/// The outer ring, then the holes.
using Rings = std::vector<Ring>;

/// The polygons and lines of a geometry, collections taken apart, Z and M left out. Polygon rings do not repeat their first vertex.
struct Shapes {
  std::vector<Rings> polygons;
  std::vector<Ring> lines;
  bool mended = false;  ///< rings that could bound no area, or vertices that are no places, were left out
};

enum class WkbResult { read, curved, damaged };

/// Reads ISO or extended WKB of either byte order. `curved`: it has arcs or surfaces, which ogr::linear_wkb takes out. `damaged`: the
/// bytes end too early, or are no WKB; `shapes` is then of no use. Never throws but for lack of memory, whatever the bytes.
WkbResult read_wkb(std::string_view wkb, Shapes& shapes);

}  // namespace tuile::truth
