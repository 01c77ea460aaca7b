#include "pipeline/prefetch_tuner.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace tuile::pipeline {
namespace {

/// A store whose every answer takes its time however many are under way, or one whose line is shared by all of them.
struct Store {
  double load = 1;      ///< seconds of a load that is alone
  bool shared = false;  ///< n loads at once take n times as long each
};

/// A run in virtual time, millisecond by millisecond: loads in order, as many at once as allowed and no further ahead than allowed; tiles
/// computed in order. The oracle: what AsyncPipeline and AsyncTileLoader do, without them.
class Simulation {
 public:
  Simulation(Store store, std::vector<double> compute) : store_(store), compute_(std::move(compute)), left_(compute_.size(), store.load) {}

  /// Seconds until all is computed. tuner: null for a fixed setting.
  double run(Tuning tuning, PrefetchTuner* tuner) {
    if (tuner != nullptr) tuning = tuner->current();
    int pace_ahead = tuning.ahead;
    for (long tick = 0;; ++tick) {
      const double now = static_cast<double>(tick) * step;
      if (tuner != nullptr && tick % 20 == 0) tuning = tuner->update(sample(now));
      if (busy_until_ <= now) {
        if (computing_) finish();
        if (done_ == compute_.size()) return now;
        if (!computing_) pace_ahead = tuning.ahead;  // asked before every batch
        computing_ = loaded_ > done_;
        if (computing_) busy_until_ = now + compute_[done_];
      }
      advance(tuning.workers, done_ + 1 + static_cast<std::size_t>(pace_ahead), now);
    }
  }

 private:
  static constexpr double step = 0.001;

  void finish() {
    compute_seconds_ += compute_[done_++];
    computing_ = false;
  }

  void advance(int workers, std::size_t window, double now) {
    const std::size_t end = std::min({window, compute_.size(), loaded_ + static_cast<std::size_t>(workers)});
    if (started_.size() < end) started_.resize(end, now);
    const std::size_t under_way = started_.size() - loaded_;
    for (std::size_t i = loaded_; i < started_.size(); ++i) left_[i] -= store_.shared ? step / static_cast<double>(under_way) : step;
    while (loaded_ < started_.size() && left_[loaded_] <= 0) wait_seconds_ += now - started_[loaded_++];
  }

  TuningSample sample(double now) const {
    return {.loads = loaded_,
            .wait_seconds = wait_seconds_,
            .oldest_wait = loaded_ < started_.size() ? now - started_[loaded_] : 0,
            .tiles = done_,
            .compute_seconds = compute_seconds_};
  }

  const Store store_;
  const std::vector<double> compute_;
  std::vector<double> left_, started_;
  std::size_t loaded_ = 0, done_ = 0;
  bool computing_ = false;
  double busy_until_ = 0, wait_seconds_ = 0, compute_seconds_ = 0;
};

TuningLimits limits(double likely_compute = 0.5) { return {.most_workers = 16, .likely_compute = likely_compute}; }

double best_fixed(const Store& store, const std::vector<double>& compute) {
  double best = std::numeric_limits<double>::infinity();
  for (const int workers : {1, 2, 4, 8, 16}) {
    for (const int more : {0, 1, 4}) best = std::min(best, Simulation(store, compute).run({workers, workers + more, 1}, nullptr));
  }
  return best;
}

double tuned(const Store& store, const std::vector<double>& compute, double likely_compute) {
  PrefetchTuner tuner(limits(likely_compute));
  return Simulation(store, compute).run({}, &tuner);
}

TEST(PrefetchTuner, IsWithinFivePercentOfTheBestFixedSetting) {
  const std::vector<double> compute(40, 0.5);
  for (const double load : {0.02, 0.25, 0.5, 1.0, 2.0, 4.0}) {
    for (const double guess : {0.1, 0.25, 0.5, 0.75}) {  // what a tile takes is not known beforehand
      SCOPED_TRACE("load " + std::to_string(load) + " s, guess " + std::to_string(guess) + " s");
      EXPECT_LE(tuned({load, false}, compute, guess), 1.05 * best_fixed({load, false}, compute));
    }
  }
}

// On a shared line asking for more at once brings nothing, and the last tiles arrive together: that much is lost, once a run.
TEST(PrefetchTuner, ASharedLineLosesTheLastTilesAtMost) {
  const std::vector<double> compute(40, 0.5);
  for (const double load : {0.1, 0.4, 0.5, 1.0}) {
    SCOPED_TRACE(load);
    EXPECT_LE(tuned({load, true}, compute, 0.5), best_fixed({load, true}, compute) + 16 * 0.5);
  }
}

TEST(PrefetchTuner, UnevenTilesAreFollowed) {
  std::vector<double> compute;
  for (int i = 0; i < 60; ++i) compute.push_back(i % 3 == 0 ? 0.9 : 0.3);
  EXPECT_LE(tuned({1.5, false}, compute, 0.5), 1.05 * best_fixed({1.5, false}, compute));
}

TEST(PrefetchTuner, ASlowStoreShowsBeforeItsFirstAnswer) {
  PrefetchTuner tuner(limits(0.5));
  EXPECT_EQ(tuner.update({.oldest_wait = 0.1}).workers, 2);
  EXPECT_EQ(tuner.update({.oldest_wait = 4.0}).workers, 11);
  EXPECT_EQ(tuner.update({.oldest_wait = 100.0}).workers, 16);
  EXPECT_EQ(tuner.changes(), 2);
}

TEST(PrefetchTuner, WhatBecomesFasterNeedsFewerAgain) {
  PrefetchTuner tuner(limits());
  TuningSample sample;
  const auto tiles = [&](int count, double load) {
    for (int i = 0; i < count; ++i) {
      ++sample.tiles;
      ++sample.loads;
      sample.compute_seconds += 0.5;
      sample.wait_seconds += load;
      tuner.update(sample);
    }
  };
  tiles(10, 4.0);
  EXPECT_EQ(tuner.current().workers, 11);
  EXPECT_EQ(tuner.current().ahead, 12);
  EXPECT_NEAR(tuner.wait_seconds(), 4.0, 1e-9);
  EXPECT_NEAR(tuner.compute_seconds(), 0.5, 1e-9);
  tiles(30, 0.1);
  EXPECT_EQ(tuner.current().workers, 2);
  EXPECT_EQ(tuner.current().ahead, 3);
}

TEST(PrefetchTuner, PartsOfNeighboursCountForTheirTile) {
  TuningLimits with_parts = limits();
  with_parts.loads_per_tile = 4;
  PrefetchTuner tuner(with_parts);
  EXPECT_EQ(tuner.update({.loads = 4, .wait_seconds = 4, .tiles = 1, .compute_seconds = 1}).workers, 6);  // 4 s a tile against 1 s
}

TEST(PrefetchTuner, SmallTilesAreComputedTogether) {
  TuningLimits small = limits();
  small.most_batch = 8;
  PrefetchTuner tuner(small);
  EXPECT_EQ(tuner.current().batch, 1);
  EXPECT_EQ(tuner.update({.loads = 10, .wait_seconds = 0.1, .tiles = 10, .compute_seconds = 0.05}).batch, 5);
  EXPECT_EQ(tuner.update({.loads = 30, .wait_seconds = 0.1, .tiles = 30, .compute_seconds = 0.05}).batch, 8);
}

TEST(PrefetchTuner, NeverMoreThanMemoryAllows) {
  PrefetchTuner tuner({.most_workers = 1, .most_ahead = 0});
  EXPECT_EQ(tuner.current(), (Tuning{1, 0, 1}));
  EXPECT_EQ(tuner.update({.loads = 9, .wait_seconds = 90, .tiles = 9, .compute_seconds = 0.001}), (Tuning{1, 0, 1}));
}

TEST(PrefetchTuner, WhatIsFixedStays) {
  PrefetchTuner tuner({.workers = 3, .ahead = 1, .batch = 2, .most_batch = 8});
  EXPECT_EQ(tuner.current(), (Tuning{3, 1, 2}));
  EXPECT_EQ(tuner.update({.loads = 9, .wait_seconds = 90, .oldest_wait = 50, .tiles = 9, .compute_seconds = 0.001}), (Tuning{3, 1, 2}));
  EXPECT_EQ(tuner.changes(), 0);
}

}  // namespace
}  // namespace tuile::pipeline
