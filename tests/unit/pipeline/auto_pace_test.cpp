#include "pipeline/auto_pace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace tuile::pipeline {
namespace {

using std::chrono::milliseconds;

/// How many loads ran at once at most, and the tiles in the order in which they were computed.
struct Observed {
  int most_at_once = 0;
  std::vector<std::size_t> order;
  Tuning tuning;
};

Observed run(milliseconds load, milliseconds compute, const TuningLimits& limits) {
  std::atomic<int> under_way{0}, most{0};
  prefetch::LoaderOptions options;
  options.num_workers = 2;
  options.cache_size = 64;
  options.keep_preloaded = true;
  prefetch::AsyncTileLoader loader(options, [&](const prefetch::TileRequest&, const std::stop_token&) {
    const int now = ++under_way;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::sleep_for(load);
    --under_way;
    return prefetch::Tile{};
  });
  AsyncPipeline pipeline(loader, {});
  const auto waits = [&] {
    const prefetch::LoaderStatistics loads = loader.get_stats();
    return WaitTimes{loads.io_seconds, loads.tiles_loaded == 0};
  };
  AutoPace pace(loader, pipeline, waits, limits);
  Observed observed;
  Stages stages;
  stages.pace = [&] { return pace.pace(); };
  stages.compute = [&](std::span<const LoadedTask> batch) {
    for (const LoadedTask& task : batch) observed.order.push_back(task.index);
    std::this_thread::sleep_for(compute);
    return std::vector<ProductHandle>(batch.size());
  };
  std::vector<TileTask> tasks;
  for (int i = 0; i < 24; ++i) tasks.push_back({{"t" + std::to_string(i), std::nullopt}, {}});
  pipeline.process(tasks, stages);
  observed.most_at_once = most;
  observed.tuning = pace.state().current();
  return observed;
}

TEST(AutoPace, ASlowStoreIsAskedForMoreTilesAtOnce) {
  const Observed observed = run(milliseconds(60), milliseconds(5), {.likely_compute = 0.005});
  EXPECT_GT(observed.most_at_once, 2);
  EXPECT_LE(observed.most_at_once, 16);
  EXPECT_GT(observed.tuning.workers, 2);
  ASSERT_EQ(observed.order.size(), 24U);
  EXPECT_TRUE(std::is_sorted(observed.order.begin(), observed.order.end()));
}

TEST(AutoPace, TheLoaderBeginsWithWhatTheTunerBeginsWith) {
  const Observed observed = run(milliseconds(150), milliseconds(75), {.workers = 4, .likely_compute = 0.075});  // never changes
  EXPECT_EQ(observed.most_at_once, 4);
}

TEST(AutoPace, FixedSettingsAreNotTouched) {
  const Observed observed = run(milliseconds(20), milliseconds(1), {.workers = 2, .ahead = 4, .batch = 1, .likely_compute = 0.001});
  EXPECT_LE(observed.most_at_once, 2);
  EXPECT_EQ(observed.tuning, (Tuning{2, 4, 1}));
}

TEST(AutoPace, EndsAtOnceWhereNothingRuns) {
  prefetch::AsyncTileLoader loader({}, [](const prefetch::TileRequest&, const std::stop_token&) { return prefetch::Tile{}; });
  const AsyncPipeline pipeline(loader, {});
  const AutoPace pace(loader, pipeline, [] { return WaitTimes{}; }, {});
  EXPECT_GT(pace.pace().ahead, 0);
}

}  // namespace
}  // namespace tuile::pipeline
