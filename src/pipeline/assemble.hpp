#pragma once

#include <memory>
#include <span>
#include <vector>

#include "tuile/core/point_block.hpp"
#include "tuile/prefetch/async_tile_loader.hpp"

namespace tuile::pipeline {

/// A tile ready to compute: its points and its halo on one grid.
struct AssembledTile {
  prefetch::TileHandle tile;  ///< keeps `core` alive where it needed no change
  PointBlock regridded;       ///< the core where its file's grid is coarser than the job's
  const PointBlock* core = nullptr;
  PointBlock halo;
  bool rounded = false;  ///< some coordinate, of core or halo, was not on the grid

  /// After compute: the halo's memory is wanted for the next tile.
  void drop_halo() { halo = {}; }
};

/// Joins a tile with its neighbours' parts (null entries are skipped) on the grid of `grid_scale`. A halo point that lies inside the tile's
/// own extent, or inside an earlier part's, is left out, so that overlapping or copied tiles are not counted twice; on the edge of an
/// extent a point is left out only where the same point is already there (adjoining tiles may share an edge).
std::unique_ptr<AssembledTile> assemble(prefetch::TileHandle tile, std::span<const prefetch::TileHandle> parts, double grid_scale);
/// The same of points that outlive the result.
std::unique_ptr<AssembledTile> assemble(const PointBlock& core, std::span<const prefetch::TileHandle> parts, double grid_scale);

}  // namespace tuile::pipeline
