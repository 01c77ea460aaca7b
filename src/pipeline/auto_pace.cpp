#include "pipeline/auto_pace.hpp"

#include "tuile/core/error.hpp"

namespace tuile::pipeline {

namespace {

constexpr std::chrono::milliseconds interval{20};

}  // namespace

AutoPace::AutoPace(prefetch::AsyncTileLoader& loader, const AsyncPipeline& pipeline, const TuningLimits& limits)
    : loader_(loader), pipeline_(pipeline), tuner_(limits), thread_([this](const std::stop_token& stop) { watch(stop); }) {}

TuningSample AutoPace::sample() const {
  const prefetch::LoaderStatistics loads = loader_.get_stats();
  const AsyncPipeline::Progress computed = pipeline_.progress();
  return {.loads = loads.tiles_loaded + loads.loads_failed,
          .load_seconds = loads.io_seconds,
          .oldest_load = loads.oldest_load,
          .tiles = computed.tiles,
          .compute_seconds = computed.compute_seconds};
}

void AutoPace::watch(const std::stop_token& stop) {
  bool can_grow = true;
  std::unique_lock lock(mutex_);
  while (!tick_.wait_for(lock, stop, interval, [] { return false; }) && !stop.stop_requested()) {
    lock.unlock();
    const TuningSample now = sample();
    lock.lock();
    const int before = tuner_.current().workers;
    const int workers = tuner_.update(now).workers;
    if (workers == before || !can_grow) continue;
    lock.unlock();
    try {
      loader_.set_workers(workers);
    } catch (const OutOfMemory&) {
      can_grow = false;  // the machine gives no more threads: the run goes on with those there are
    }
    lock.lock();
  }
}

Pace AutoPace::pace() const {
  const std::lock_guard lock(mutex_);
  return {tuner_.current().ahead, tuner_.current().batch};
}

PrefetchTuner AutoPace::state() const {
  const std::lock_guard lock(mutex_);
  return tuner_;
}

}  // namespace tuile::pipeline
