#pragma once

#include <cstdint>
#include <span>

#include "compute/cuda/lane.hpp"
#include "compute/cuda/tile_work.hpp"

namespace tuile::compute::cuda {

/// Bytes that a tile takes on a device when it is computed as one piece, by itself. Its device must be the current one.
std::uint64_t whole_tile_bytes(const TileInput& tile, const CallContext& context);

/// Computes tiles, each as one piece, in one set of launches, from their blocks straight into their outputs. Every tile must have core
/// points. Nothing of an output is changed but memory for its rows, where this fails. Throws DeviceOutOfMemory, DeviceLost, DeviceError,
/// OutOfMemory, Cancelled.
void compute_whole_tiles(Lane& lane, std::span<TileWork* const> tiles, const CallContext& context);

/// Makes the surfaces of the tiles that need one and have none, which the filters have no say in.
void make_surfaces(std::span<TileWork* const> tiles, const CallContext& context);

}  // namespace tuile::compute::cuda
