#pragma once

#include "tuile/compute/backend.hpp"

/// What every backend asks of its input before it starts.
namespace tuile::compute {

/// Throws InvalidArgument where the blocks contradict each other or lack what every tile must have.
void check_tile(const TileInput& tile);

/// Throws Unsupported where the points of core and halo cannot be told apart by 32 bits.
void refuse_too_many(const TileInput& tile);

}  // namespace tuile::compute
