#include "pipeline/prefetch_tuner.hpp"

#include <algorithm>
#include <cmath>

namespace tuile::pipeline {

namespace {

constexpr std::uint64_t window_tiles = 8;
constexpr double margin = 1.25;             // loads differ from each other
constexpr double busy_long_enough = 0.025;  // seconds of compute that leave little idle at the ends
constexpr double shortest_compute = 1e-4;

}  // namespace

PrefetchTuner::PrefetchTuner(const TuningLimits& limits) : limits_(limits) {
  window_.push_back({});
  current_.workers = limits_.workers.value_or(std::min(limits_.first_workers, limits_.most_workers));
  current_.ahead = limits_.ahead.value_or(std::min(std::max(limits_.first_ahead, current_.workers + 1), limits_.most_ahead));
  current_.batch = limits_.batch.value_or(1);
}

void PrefetchTuner::measure(const TuningSample& sample) {
  has_new_tile_ = sample.tiles > window_.back().tiles;
  // Samples between two computed tiles replace each other, so that the window spans tiles, not time.
  if (window_.size() > 1 && window_.back().tiles == sample.tiles) window_.pop_back();
  window_.push_back(sample);
  while (window_.size() > 2 && sample.tiles - window_[1].tiles >= window_tiles) window_.pop_front();
  const TuningSample& before = window_.front();
  const auto tiles = static_cast<double>(sample.tiles - before.tiles);
  const auto loads = static_cast<double>(sample.loads - before.loads);
  if (tiles > 0) compute_ = (sample.compute_seconds - before.compute_seconds) / tiles;
  if (loads > 0) wait_ = (sample.wait_seconds - before.wait_seconds) / loads * limits_.loads_per_tile;
  wait_ = std::max(wait_, sample.oldest_wait);
}

Tuning PrefetchTuner::update(const TuningSample& sample) {
  measure(sample);
  const double compute = std::max(sample.tiles > 0 ? compute_ : limits_.likely_compute, shortest_compute);
  Tuning next = current_;
  if (!limits_.batch && sample.tiles > 0) {
    next.batch = std::clamp(static_cast<int>(std::ceil(busy_long_enough / compute)), 1, limits_.most_batch);
  }
  if (!limits_.workers) {
    const double waiting = std::ceil(std::min(margin * wait_ / compute, static_cast<double>(limits_.most_workers)));
    next.workers = approach(current_.workers, std::min(std::max(1 + static_cast<int>(waiting), 2), limits_.most_workers));
  }
  if (!limits_.ahead && sample.tiles > 0) next.ahead = approach(current_.ahead, std::min(next.workers + next.batch, limits_.most_ahead));
  if (next != current_) ++changes_;
  return current_ = next;
}

}  // namespace tuile::pipeline
