#pragma once

#include "pipeline/computed_tile.hpp"
#include "pipeline/run_setup.hpp"

namespace tuile::pipeline {

/// Writes the output files of one tile, and its sidecar. Throws CorruptData where the input is no longer the file that was planned with,
/// and as the sinks of the formats.
void publish(const PlannedTile& planned, const ComputedTile& computed, RunSetup& setup);

}  // namespace tuile::pipeline
