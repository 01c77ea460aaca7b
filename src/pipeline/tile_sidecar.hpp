#pragma once

#include "pipeline/computed_tile.hpp"
#include "pipeline/run_setup.hpp"
#include "write/sidecar.hpp"

namespace tuile::pipeline {

/// What is told of a tile beside its outputs: what it was made from, with what, and what was noticed.
write::Sidecar sidecar_of(const PlannedTile& planned, const ComputedTile& computed, RunSetup& setup);

}  // namespace tuile::pipeline
