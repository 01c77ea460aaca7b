#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pipeline/computed_tile.hpp"
#include "pipeline/run_counters.hpp"
#include "pipeline/run_setup.hpp"
#include "pipeline/tile_outlet.hpp"
#include "tuile/pipeline/trace.hpp"

namespace tuile::pipeline {

/// What happens to a tile after its load. Thread-safe.
class TileStages {
 public:
  /// All of them must outlive it; trace may be null.
  TileStages(RunSetup& setup, TileOutlet& outlet, RunCounters& counters, Trace* trace)
      : setup_(setup), outlet_(outlet), counters_(counters), trace_(trace) {}

  /// Joins tiles with their neighbours' parts and computes their columns.
  std::vector<ProductHandle> compute(std::span<const LoadedTask> batch);
  /// Labels a computed tile and gives it to the outlet. On a writer's thread: a tile whose ground truth is late does not hold back those
  /// that are computed meanwhile.
  void finish(std::size_t index, ComputedTile& computed);

 private:
  std::shared_ptr<ComputedTile> assembled(const LoadedTask& task);
  compute::TileInput input_of(const PlannedTile& planned, const ComputedTile& tile) const;
  void label(const PlannedTile& planned, ComputedTile& computed);

  RunSetup& setup_;
  TileOutlet& outlet_;
  RunCounters& counters_;
  Trace* const trace_;
};

}  // namespace tuile::pipeline
