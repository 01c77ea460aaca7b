#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "pipeline/assemble.hpp"
#include "pipeline/label_stage.hpp"
#include "pipeline/run_plan.hpp"
#include "tuile/compute/backend.hpp"

namespace tuile::pipeline {

/// A tile after the compute stage.
struct ComputedTile {
  std::unique_ptr<AssembledTile> input;
  compute::TileOutput output;
  std::vector<std::optional<PartError>> halo_errors;  ///< as PlannedTile::halo_tiles; not set where the part was used
  std::optional<TileLabels> labels;                   ///< where ground truth was asked for
};

/// Writes the outputs and the sidecar of one tile.
/// imagery: where colours came from if not from the tile, else null. store: opens the tile again for LAZ, until `stop`.
void publish(const PlannedTile& planned, const ComputedTile& computed, const RunPlan& plan, const config::Config& config,
             const imagery::ImagerySource* imagery, source::Store& store, Executor& executor, std::stop_token stop);

/// Throws InvalidArgument naming the output columns that the tile lacks, where features.missing is `error`.
void refuse_missing(const compute::TileOutput& output, const RunPlan& plan, config::Missing missing);

/// Leaves the output columns: those that only labelling needed go, and with `drop` those that the tile lacks.
void settle_columns(compute::TileOutput& output, const RunPlan& plan, config::Missing missing);

}  // namespace tuile::pipeline
