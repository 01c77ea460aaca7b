#pragma once

#include "compute/blocks.hpp"
#include "compute/cuda/kernels.hpp"
#include "tuile/compute/backend.hpp"

namespace tuile::compute::cuda {

/// A whole tile: its core's points, which have the rows, then its halo's, as they lie in their blocks.
PieceShape whole_tile(const TileInput& tile);

/// A part of a tile. given: what its points are all of
PieceShape part_of_tile(const TileInput& tile, std::size_t points, std::size_t rows, const Area& given);

}  // namespace tuile::compute::cuda
