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
#include "tuile/prefetch/async_tile_loader.hpp"

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

/// Waits for the tile's ground truth and labels its points. core: the points of `output`'s rows.
/// Throws IoError (or of another kind, where another try cannot help) naming the layers that are not sound and the remedy, where on_failure is
/// fail_tile; Cancelled; as TruthTicket::wait.
TileLabels label_tile(const prefetch::Tile& tile, const PointBlock& core, const compute::TileOutput& output, const TruthService& service,
                      config::OnFailure on_failure, Executor& executor, std::stop_token stop);

/// Counts a finished tile.
void add_tile(TruthSummary& summary, const TileLabels& labels);

}  // namespace tuile::pipeline
