#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/computed_tile.hpp"
#include "pipeline/resources.hpp"
#include "pipeline/run_setup.hpp"
#include "tuile/core/mutex.hpp"
#include "tuile/pipeline/run_summary.hpp"

namespace tuile::pipeline {

/// What a finished tile adds to the counts of ground truth and imagery.
struct TileCounts {
  std::optional<LabelCounts> labels;
  std::optional<bool> coloured;  ///< where colours were asked for: whether they came
};
TileCounts counts_of(const ComputedTile& computed);

/// The summary of a run while it goes. Members may be called from any thread, unless they say otherwise.
class RunCounters {
 public:
  /// Begins with what the plan knows, and tells what is wrong with it. usage: since the run began. setup and usage must outlive it.
  RunCounters(const RunSetup& setup, const ResourceUsage& usage, Log log);

  /// Whether no input has failed that fail_fast would stop for.
  bool may_begin() const { return !(setup_.options.fail_fast && !summary_.failed.empty()); }
  /// One line for whoever watches the run.
  void say(const std::string& line) { log_(line); }
  /// How many points a tile has, which counts once it is done.
  void set_points(std::size_t index, std::uint64_t points) { points_[index] = points; }
  /// What became of a tile's layers, whether it can be labelled or not.
  void add_outcomes(const GroundTruth& truth);
  void add(const TileCounts& counts);
  /// A tile is done, failed or cancelled. By one thread at a time. waiting_for: as Progress
  void finished(std::size_t index, const std::exception_ptr& error, const char* waiting_for);

  /// The parts that the end of the pipeline knows. By one thread.
  RunSummary& summary() noexcept { return summary_; }
  /// Settles the rest.
  void settle(const AnonymousPeak& anonymous);

 private:
  void add_failure(std::size_t index, FailedTile failure);

  const RunSetup& setup_;
  const Log log_;
  const ResourceUsage& usage_;
  std::vector<std::uint64_t> points_;  ///< per planned tile; written by compute, read when it is finished
  RunSummary summary_;                 ///< but for these parts, which writers count
  Mutex mutex_;
  TruthSummary truth_ GUARDED_BY(mutex_);
  ImagerySummary imagery_ GUARDED_BY(mutex_);
};

}  // namespace tuile::pipeline
