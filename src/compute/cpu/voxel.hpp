#pragma once

#include <cstdint>
#include <stop_token>

#include "compute/blocks.hpp"
#include "tuile/core/executor.hpp"

namespace tuile::compute::cpu {

/// Of every cube of edge `size` metres, anchored at coordinate 0, one point: the smallest by (x, y, z), of equal ones the first by index.
/// keep[i]: set to 1 for these valid points, 0 for the others; by index, of core and halo. Throws Cancelled, OutOfMemory.
void thin_voxels(const TilePoints& points, const Grid& grid, double size, Executor& executor, const std::stop_token& stop,
                 std::uint8_t* keep);

}  // namespace tuile::compute::cpu
