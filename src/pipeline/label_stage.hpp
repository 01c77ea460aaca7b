#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

#include "pipeline/services.hpp"
#include "tuile/config/config.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/ground_truth.hpp"
#include "tuile/pipeline/run_summary.hpp"

namespace tuile::compute {
struct TileOutput;
}

namespace tuile::pipeline {

/// The ground truth of a tile and the labels made from it.
struct TileLabels {
  std::shared_ptr<const GroundTruth> truth;
  bool labelled = false;  ///< false: some layer could not be fetched, and on_failure lets the tile go on without labels
  LabelBlock block;
  ObjectTable objects;
};

/// Labels a tile's points. core: the points of `output`'s rows.
/// Throws IoError (or of another kind, where another try cannot help) naming the layers that are not sound and the remedy, where on_failure
/// is fail_tile; Cancelled.
TileLabels label_tile(std::shared_ptr<const GroundTruth> truth, const PointBlock& core, const compute::TileOutput& output,
                      const label::LabelPlan& plan, config::OnFailure on_failure, Executor& executor, std::stop_token stop);

/// Counts what became of a tile's layers, whether it can be labelled or not.
void add_outcomes(TruthSummary& summary, const GroundTruth& truth);

/// What a labelled tile adds to the summary.
struct LabelCounts {
  bool labelled = false;
  std::vector<std::uint64_t> points;  ///< per layer
};
LabelCounts count_labels(const TileLabels& labels);
/// Counts a finished tile.
void add_labels(TruthSummary& summary, const LabelCounts& counts);

}  // namespace tuile::pipeline
