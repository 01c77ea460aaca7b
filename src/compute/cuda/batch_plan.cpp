#include "compute/cuda/batch_plan.hpp"

#include <algorithm>

namespace tuile::compute::cuda {

namespace {

/// Above, the start of launches is less than a hundredth of their time.
constexpr std::uint64_t busy_points = std::uint64_t{4} << 20;
/// Below, a tile is not worth a batch of its own even where a device idles.
constexpr std::uint64_t small_batch = std::uint64_t{1} << 18;

}  // namespace

std::uint64_t batch_points(std::span<const TileNeed> tiles, std::size_t devices) {
  std::uint64_t points = 0;
  for (const TileNeed& tile : tiles) points += tile.points;
  return std::clamp((points + devices - 1) / devices, small_batch, busy_points);
}

std::uint64_t block_points(const TileNeed& need, std::uint64_t bytes) {
  const double per_point = static_cast<double>(need.bytes) / static_cast<double>(std::max<std::uint64_t>(need.points, 1));
  const double points = per_point > 0 ? static_cast<double>(bytes) / per_point : 0;
  return std::clamp(static_cast<std::uint64_t>(std::min(points, 0x1p62)), smallest_block, std::max(need.points, smallest_block));
}

std::vector<PlannedBatch> plan_batches(std::span<const TileNeed> tiles, const BatchLimits& limits) {
  std::vector<PlannedBatch> batches;
  TileNeed open;  // of the last batch, as long as it takes more
  bool is_open = false;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const TileNeed& tile = tiles[i];
    if (tile.bytes > limits.lane_bytes) {
      const bool fits = tile.bytes <= limits.device_bytes;
      batches.push_back({{i}, fits, fits ? 0 : block_points(tile, limits.lane_bytes)});
      is_open = false;
      continue;
    }
    if (is_open && open.bytes + tile.bytes <= limits.lane_bytes && open.points + tile.points <= limits.points &&
        batches.back().tiles.size() < most_batch_tiles) {
      batches.back().tiles.push_back(i);
      open.bytes += tile.bytes;
      open.points += tile.points;
      continue;
    }
    batches.push_back({{i}, false, 0});
    open = tile;
    is_open = true;
  }
  return batches;
}

}  // namespace tuile::compute::cuda
