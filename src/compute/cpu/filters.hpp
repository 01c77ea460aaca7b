#pragma once

#include "compute/cpu/tile_run.hpp"
#include "compute/validity.hpp"
#include "tuile/compute/backend.hpp"

namespace tuile::compute {

/// Preprocessing of a tile: marks the points of its core and halo that do not count, step by step, each on what the ones before have left.
/// removed: how many of the core points each step took away. Nothing is marked where preprocessing is off.
/// Throws Cancelled, OutOfMemory, Unsupported (too many points).
Marks preprocess(const TileInput& tile, const RunContext& context, TileOutput::Removed& removed);

}  // namespace tuile::compute
