// Several batches in compute at once: what a backend asks for that copies one while it computes another.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "number.hpp"
#include "pipeline/busy_clock.hpp"
#include "tuile/core/error.hpp"
#include "tuile/pipeline/async_pipeline.hpp"

namespace tuile::pipeline {
namespace {

using namespace std::chrono_literals;

std::vector<TileTask> tasks_for(int count) {
  std::vector<TileTask> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back({{"t" + std::to_string(i), std::nullopt}, {}});
  return tasks;
}

prefetch::LoaderOptions loader_options() {
  prefetch::LoaderOptions options;
  options.num_workers = 2;
  options.cache_size = 16;
  options.retries = 0;
  options.keep_preloaded = true;
  return options;
}

prefetch::Tile empty_tile(const prefetch::TileRequest&, const std::stop_token&) { return {}; }

ProductHandle product_of(const LoadedTask& task) { return std::make_shared<Number>(static_cast<int>(task.index)); }

TEST(Computers, ComputeSideBySideAndEveryTaskOnce) {
  prefetch::AsyncTileLoader loader(loader_options(), empty_tile);
  AsyncPipeline pipeline(loader, {.ahead = 4, .batch_size = 2, .computers = 3, .writers = 1});
  std::latch all_three(3);
  std::atomic<int> batches{0};
  std::vector<std::atomic<int>> computed(40), written(40);
  Stages stages;
  stages.compute = [&](std::span<const LoadedTask> tasks) {
    if (batches++ < 3) all_three.arrive_and_wait();  // without three at once this test hangs
    std::vector<ProductHandle> products;
    for (const LoadedTask& task : tasks) {
      ++computed[task.index];
      products.push_back(product_of(task));
    }
    return products;
  };
  stages.write = [&](std::size_t index, const ProductHandle& product) {
    EXPECT_EQ(number_in(product), static_cast<int>(index));
    ++written[index];
  };
  const auto records = pipeline.process(tasks_for(40), stages);
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(records[i].error, nullptr);
    EXPECT_EQ(computed[i], 1);
    EXPECT_EQ(written[i], 1);
  }
  EXPECT_EQ(pipeline.progress().tiles, 40U);
  EXPECT_LE(pipeline.times().compute, pipeline.times().wall) << "time during which some batch is computed counts once";
}

TEST(Computers, RecordsAreInTheOrderOfTheTasks) {
  prefetch::AsyncTileLoader loader(loader_options(), empty_tile);
  AsyncPipeline pipeline(loader, {.ahead = 4, .computers = 4, .writers = 0});
  Stages stages;
  stages.compute = [](std::span<const LoadedTask> tasks) {
    std::this_thread::sleep_for(std::chrono::milliseconds(tasks[0].index % 5));
    return std::vector<ProductHandle>{product_of(tasks[0])};
  };
  const auto records = pipeline.process(tasks_for(25), stages);
  for (std::size_t i = 0; i < 25; ++i) EXPECT_EQ(number_in(records[i].product), static_cast<int>(i));
}

TEST(Computers, AFailureIsItsTilesOwn) {
  prefetch::AsyncTileLoader loader(loader_options(), empty_tile);
  AsyncPipeline pipeline(loader, {.ahead = 4, .batch_size = 3, .computers = 3});
  Stages stages;
  stages.compute = [](std::span<const LoadedTask> tasks) {
    std::vector<ProductHandle> products;
    for (const LoadedTask& task : tasks) {
      if (task.index % 7 == 3) throw CorruptData("bad tile");
      products.push_back(product_of(task));
    }
    return products;
  };
  std::multiset<std::size_t> finished;
  stages.finished = [&](std::size_t index, const std::exception_ptr&) { finished.insert(index); };  // one call at a time
  const auto records = pipeline.process(tasks_for(30), stages);
  for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(records[i].error != nullptr, i % 7 == 3) << i;
  EXPECT_EQ(finished.size(), 30U);
  EXPECT_EQ(std::set<std::size_t>(finished.begin(), finished.end()).size(), 30U);
}

TEST(Computers, StopAccountsForEveryTile) {
  prefetch::AsyncTileLoader loader(loader_options(), empty_tile);
  AsyncPipeline pipeline(loader, {.ahead = 2, .computers = 3});
  std::stop_source stop;
  Stages stages;
  std::atomic<int> computed{0};
  stages.compute = [&](std::span<const LoadedTask> tasks) {
    if (++computed == 5) stop.request_stop();
    return std::vector<ProductHandle>{product_of(tasks[0])};
  };
  std::atomic<int> finished{0};
  stages.finished = [&](std::size_t, const std::exception_ptr&) { ++finished; };
  const auto records = pipeline.process(tasks_for(50), stages, stop.get_token());
  EXPECT_EQ(finished, 50);
  int done = 0;
  for (const TaskRecord& record : records) done += record.error == nullptr ? 1 : 0;
  EXPECT_EQ(done, computed);
  EXPECT_LT(done, 50);
}

TEST(Computers, WhatIsNoTilesErrorEndsTheRun) {
  prefetch::AsyncTileLoader loader(loader_options(), empty_tile);
  AsyncPipeline pipeline(loader, {.ahead = 2, .computers = 3});
  Stages stages;
  stages.compute = [](std::span<const LoadedTask> tasks) { return std::vector<ProductHandle>{product_of(tasks[0])}; };
  std::atomic<int> asked{0};
  stages.pace = [&]() -> Pace {
    if (++asked == 6) throw std::bad_alloc();
    return {};
  };
  EXPECT_THROW(pipeline.process(tasks_for(50), stages), std::bad_alloc);
}

TEST(BusyClock, CountsStretchesOnce) {
  const BusyClock::Time start{};
  BusyClock clock(start);
  const auto at = [&](int seconds) { return start + std::chrono::seconds(seconds); };
  EXPECT_EQ(clock.busy(at(3)), 0.0);
  clock.enter(at(3));
  clock.enter(at(4));
  EXPECT_EQ(clock.busy(at(5)), 2.0);
  clock.leave(at(6));
  EXPECT_EQ(clock.busy(at(7)), 4.0);
  clock.leave(at(8));
  EXPECT_EQ(clock.busy(at(20)), 5.0);
  EXPECT_EQ(clock.idle(at(20)), 15.0);
  clock.enter(at(20));
  EXPECT_EQ(clock.busy(at(22)), 7.0);
}

}  // namespace
}  // namespace tuile::pipeline
