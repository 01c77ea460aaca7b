#pragma once

#include <cstdint>

#include "compute/cuda/dispatch.hpp"
#include "compute/cuda/tile_work.hpp"

namespace tuile::compute::cuda {

struct BlockLimits {
  std::uint64_t points = 0;  ///< of a block
  std::uint64_t memory = 0;  ///< of the host, bytes that blocks may take in all; 0: no limit
};

/// Computes a tile that no device can hold at once, with the same result: the host preprocesses it, fills in what needs no neighbours and
/// finds the heights, devices search its blocks. Where they run out of memory, blocks are halved. Throws OutOfMemory (the smallest blocks
/// do not fit either), DeviceError, Cancelled.
void compute_in_blocks(TileWork& tile, const BlockLimits& limits, const CallContext& context, Dispatch& dispatch);

}  // namespace tuile::compute::cuda
