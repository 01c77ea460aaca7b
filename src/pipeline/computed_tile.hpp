#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "pipeline/assemble.hpp"
#include "pipeline/label_stage.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/pipeline/async_pipeline.hpp"

namespace tuile::pipeline {

/// A tile after the compute stage.
struct ComputedTile final : Product {
  std::unique_ptr<AssembledTile> input;
  compute::TileOutput output;
  std::vector<std::optional<PartError>> halo_errors;  ///< as PlannedTile::halo_tiles; not set where the part was used
  std::optional<TileLabels> labels;                   ///< where ground truth was asked for
};

}  // namespace tuile::pipeline
