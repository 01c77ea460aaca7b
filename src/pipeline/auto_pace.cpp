#include "pipeline/auto_pace.hpp"

#include <new>
#include <utility>

#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::pipeline {

namespace {

constexpr std::chrono::milliseconds interval{20};

}  // namespace

AutoPace::AutoPace(prefetch::AsyncTileLoader& loader, const AsyncPipeline& pipeline, std::function<WaitTimes()> wait_times,
                   const TuningLimits& limits)
    : loader_(loader),
      pipeline_(pipeline),
      wait_times_(std::move(wait_times)),
      tuner_(limits),
      thread_([this](const std::stop_token& stop) { watch(stop); }) {}

TuningSample AutoPace::sample() const {
  const prefetch::LoaderStatistics loads = loader_.get_stats();
  const AsyncPipeline::Progress computed = pipeline_.progress();
  const WaitTimes waits = wait_times_();
  return {.loads = loads.tiles_loaded + loads.loads_failed,
          .wait_seconds = waits.seconds,
          .oldest_wait = waits.is_first ? loads.oldest_load : 0,
          .tiles = computed.tiles,
          .compute_seconds = computed.compute_seconds};
}

void AutoPace::watch(const std::stop_token& stop) {
  // The machine may give no more threads, or no memory for what is measured: then the run goes on as it is.
  try {
    loader_.set_workers(state().current().workers);
    follow(stop);
  } catch (const OutOfMemory&) {
  } catch (const std::bad_alloc&) {
  }
}

void AutoPace::follow(const std::stop_token& stop) {
  MutexLock lock(mutex_);
  while (!tick_.wait_for(lock, stop, interval, [] { return false; }) && !stop.stop_requested()) {
    lock.unlock();
    const TuningSample now = sample();
    lock.lock();
    const int before = tuner_.current().workers;
    const int workers = tuner_.update(now).workers;
    if (workers == before) continue;
    lock.unlock();
    loader_.set_workers(workers);
    lock.lock();
  }
}

Pace AutoPace::pace() const {
  const MutexLock lock(mutex_);
  return {tuner_.current().ahead, tuner_.current().batch};
}

PrefetchTuner AutoPace::state() const {
  const MutexLock lock(mutex_);
  return tuner_;
}

}  // namespace tuile::pipeline
