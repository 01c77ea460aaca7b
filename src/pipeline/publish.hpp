#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipeline/assemble.hpp"
#include "pipeline/run_plan.hpp"
#include "tuile/compute/backend.hpp"

namespace tuile::pipeline {

/// A tile after the compute stage.
struct ComputedTile {
  std::unique_ptr<AssembledTile> input;
  compute::TileOutput output;
  std::vector<std::optional<PartError>> halo_errors;  ///< as PlannedTile::halo_tiles; not set where the part was used
};

/// Writes the outputs and the sidecar of one tile.
void publish(const PlannedTile& planned, const ComputedTile& computed, const RunPlan& plan, const config::Config& config,
             Executor& executor);

/// Applies features.missing to a tile's output: `drop` removes the columns that the tile lacks, `error` throws InvalidArgument naming them.
void settle_missing(compute::TileOutput& output, config::Missing missing);

}  // namespace tuile::pipeline
