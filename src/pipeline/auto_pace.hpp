#pragma once

#include <functional>
#include <thread>

#include "pipeline/prefetch_tuner.hpp"
#include "tuile/core/mutex.hpp"
#include "tuile/pipeline/async_pipeline.hpp"
#include "tuile/prefetch/async_tile_loader.hpp"

namespace tuile::pipeline {

/// How long loads have waited for bytes until now, summed.
struct WaitTimes {
  double seconds = 0;
  bool is_first = false;  ///< nothing has come yet: the loads under way have done nothing but wait
};

/// Keeps a run at its best pace: watches loader and pipeline, some fifty times a second, and tells the tuner's choices to both. It has a
/// thread of its own because it matters most when nothing moves: while the first tile of a slow store is awaited.
class AutoPace {
 public:
  /// loader and pipeline must outlive it; wait_times is called by its thread.
  AutoPace(prefetch::AsyncTileLoader& loader, const AsyncPipeline& pipeline, std::function<WaitTimes()> wait_times,
           const TuningLimits& limits);

  /// For Stages::pace.
  Pace pace() const;
  /// What is chosen now, and from what.
  PrefetchTuner state() const;

 private:
  void watch(const std::stop_token& stop);
  void follow(const std::stop_token& stop);
  TuningSample sample() const;

  prefetch::AsyncTileLoader& loader_;
  const AsyncPipeline& pipeline_;
  const std::function<WaitTimes()> wait_times_;
  mutable Mutex mutex_;
  StoppableCondition tick_;  ///< nothing but the stop wakes it before its time
  PrefetchTuner tuner_ GUARDED_BY(mutex_);
  std::jthread thread_;  ///< the last member: it ends before the others
};

}  // namespace tuile::pipeline
