#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tuile::compute::cuda {

/// What a tile takes on a device, all of it at once.
struct TileNeed {
  std::uint64_t bytes = 0;
  std::uint64_t points = 0;  ///< of core and halo
};

struct BatchLimits {
  std::uint64_t lane_bytes = 0;    ///< for a batch beside others on the device
  std::uint64_t device_bytes = 0;  ///< for one that has the device for itself
  std::uint64_t points = 0;        ///< a batch of more gains nothing; a larger tile is one by itself
};

/// Tiles that a device computes in one set of launches, or one that has to be cut.
struct PlannedBatch {
  std::vector<std::size_t> tiles;  ///< positions, increasing
  bool whole_device = false;       ///< more than a lane's share
  std::uint64_t block_points = 0;  ///< not 0: its one tile is cut into blocks of about so many points
};

/// In the order of the tiles. Of the launches a small tile needs, most take longer to start than to run: such tiles go together.
std::vector<PlannedBatch> plan_batches(std::span<const TileNeed> tiles, const BatchLimits& limits);

/// Points that a batch should have: as many as keep a device busy, yet fewer where devices would have nothing to do.
/// devices: at least 1
std::uint64_t batch_points(std::span<const TileNeed> tiles, std::size_t devices);

/// Points are counted in 32 bits on a device, slots and nodes come on top of them.
inline constexpr std::uint64_t most_batch_points = std::uint64_t{1} << 30;

/// A launch has a row of blocks for each tile, and CUDA counts them to so many.
inline constexpr std::size_t most_batch_tiles = 65'535;

/// Smaller blocks would be made of little but what they share with their neighbours.
inline constexpr std::uint64_t smallest_block = 1024;

/// Points of a block that takes `bytes` of a device, where a tile like `need` takes so many; at least smallest_block.
std::uint64_t block_points(const TileNeed& need, std::uint64_t bytes);

}  // namespace tuile::compute::cuda
