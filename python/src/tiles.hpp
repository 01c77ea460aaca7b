#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuile/core/bounds.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/prefetch/async_tile_loader.hpp"

namespace tuile::python {

/// What Python calls TilePoints: the points of a tile and what is known of them. Immutable; Python's arrays are views of `points`, which
/// lives as long as the last of them.
struct TilePoints {
  std::shared_ptr<const PointBlock> points;  ///< may be a part of a loaded tile, which it keeps
  std::string path;                          ///< where they come from; may be empty
  int epsg = 0;                              ///< 0: unknown
  Bounds bounds;                             ///< metres: the file's own, cut by the box of a partial load; empty: no points
  std::vector<std::string> warnings = {};

  // Made when they are first asked for, and kept; guarded by the GIL.
  mutable std::optional<pybind11::array> xyz = {}, absolute = {};
};

/// Of a tile that a loader or a reader has given.
inline TilePoints tile_points(const prefetch::TileHandle& tile, std::string path, int epsg, const Bounds& bounds) {
  return {.points = {tile, &tile->points}, .path = std::move(path), .epsg = epsg, .bounds = bounds, .warnings = tile->warnings};
}

}  // namespace tuile::python
