#pragma once

#include "pipeline/run_plan.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/config/config.hpp"

namespace tuile::pipeline {

/// Throws InvalidArgument naming the output columns that the tile lacks, where features.missing is `error`.
void refuse_missing(const compute::TileOutput& output, const RunPlan& plan, config::Missing missing);

/// Leaves the output columns: those that only labelling needed go, and with `drop` those that the tile lacks.
void settle_columns(compute::TileOutput& output, const RunPlan& plan, config::Missing missing);

}  // namespace tuile::pipeline
