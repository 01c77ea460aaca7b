#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compute/blocks.hpp"
#include "compute/cuda/lane.hpp"
#include "compute/cuda/tile_work.hpp"

namespace tuile::compute::cuda {

/// Points of a tile that are searched together on a device, and which of them get rows.
struct Part {
  Buffer<GridPoint> units;          ///< those with a row first
  std::vector<std::uint32_t> rows;  ///< their indices in the tile
  Area given;                       ///< what the points are all of

  /// from: the valid points, with their indices in the tile;  is_row(point, index)
  struct Placed {
    GridPoint point;
    std::uint32_t index;
  };
  template <class IsRow>
  static Part of(const Buffer<Placed>& from, const Area& given, const std::shared_ptr<PinnedMemory>& pinned, IsRow&& is_row) {
    Part part{Buffer<GridPoint>(from.size(), pinned), {}, given};
    std::size_t others = from.size();
    for (const Placed& placed : from) {
      if (is_row(placed.point, placed.index)) {
        part.units[part.rows.size()] = placed.point;
        part.rows.push_back(placed.index);
      } else {
        part.units[--others] = placed.point;
      }
    }
    return part;
  }
};

/// What a device found for the rows of some parts, part after part.
struct PartResults {
  Buffer<float> values;  ///< rows × columns of the plan
  std::uint64_t degenerate = 0, truncated = 0;
  std::vector<std::uint32_t> unfinished;  ///< rows, as indices in the tile, whose neighbourhoods may reach beyond what was given
};

/// Computes the columns of neighbourhoods. plan: of nothing else. At least one part, each with at least one row.
/// Throws DeviceOutOfMemory, DeviceLost, DeviceError, OutOfMemory, Cancelled.
PartResults search_parts(Lane& lane, const TileInput& tile, std::span<const Part> parts, const features::FeaturePlan& plan,
                         const CallContext& context);

}  // namespace tuile::compute::cuda
