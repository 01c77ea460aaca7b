#include <atomic>
#include <future>
#include <optional>

#include "fake_store.hpp"

namespace tuile::prefetch::test {
namespace {

TEST(LoaderShutdown, WakesEveryWaiterWithCancelledAndStopsTheLoads) {
  FakeStore store;
  store.close("running");
  AsyncTileLoader loader(options_with(1), store.function());
  std::vector<std::future<void>> callers;
  for (const char* path : {"running", "running", "queued", "other"}) {
    callers.push_back(std::async(std::launch::async, [&loader, path] { EXPECT_THROW(loader.get_tile(path), Cancelled); }));
    ASSERT_TRUE(callers_are_in(loader, callers.size()));
  }
  const TileFuture preload = loader.preload_tile("preload");
  store.wait_for_calls("running", 1);
  loader.shutdown();  // the store stays closed: only the stop request ends the load
  for (auto& caller : callers) caller.get();
  EXPECT_TRUE(preload.ready());
  EXPECT_THROW(preload.get(), Cancelled);
  EXPECT_EQ(store.calls("queued") + store.calls("other") + store.calls("preload"), 0);
  expect_consistent(loader.get_stats());
}

TEST(LoaderShutdown, IsIdempotentAndFinal) {
  for (const int workers : {0, 2}) {
    FakeStore store;
    AsyncTileLoader loader(options_with(workers), store.function());
    const TileHandle kept = loader.get_tile("a");
    loader.shutdown();
    loader.shutdown();
    EXPECT_THROW(loader.get_tile("a"), Cancelled);
    EXPECT_THROW(loader.preload_tile("a"), Cancelled);
    loader.clear_cache();
    EXPECT_TRUE(is_tile_of(*kept, {"a", {}}));
    EXPECT_EQ(loader.get_stats().bytes_cached, 0U);
    EXPECT_EQ(loader.get_stats().requests, 1U);
  }
}

TEST(LoaderShutdown, FromManyThreadsAtOnce) {
  FakeStore store;
  store.close("a");
  AsyncTileLoader loader(options_with(2), store.function());
  loader.preload_tile("a");
  store.wait_for_calls("a", 1);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 6; ++i) threads.emplace_back([&] { loader.shutdown(); });
}

TEST(LoaderShutdown, InterruptsTheDelayBeforeARetry) {
  FakeStore store;
  store.fail("a", 100, [] { throw IoError("hiccup"); });
  LoaderOptions options = options_with(1);
  options.retry_delay = std::chrono::hours(1);
  AsyncTileLoader loader(options, store.function());
  auto caller = std::async(std::launch::async, [&] { EXPECT_THROW(loader.get_tile("a"), Cancelled); });
  store.wait_for_calls("a", 1);
  ASSERT_TRUE(callers_are_in(loader, 1));
  loader.shutdown();
  caller.get();
  EXPECT_EQ(store.calls("a"), 1);
}

TEST(LoaderShutdown, DestructorWaitsForLoadsInCallersThreads) {
  FakeStore store;
  store.close("a");
  std::optional<AsyncTileLoader> loader;
  loader.emplace(options_with(0), store.function());
  auto caller = std::async(std::launch::async, [&] { EXPECT_THROW(loader->get_tile("a"), Cancelled); });
  store.wait_for_calls("a", 1);
  loader->shutdown();
  loader.reset();
  caller.get();
}

TEST(LoaderShutdown, InTheMiddleOfEverything) {
  for (int round = 0; round < 20; ++round) {
    FakeStore store;
    std::atomic<int> inside{0};
    AsyncTileLoader loader(options_with(round % 4, 2, 3 * store.tile_bytes()), store.function());
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        try {
          for (int i = 0;; ++i) {
            const std::string path = std::to_string((7 * t + i) % 11);
            if (i % 3 == 0) loader.preload_tile(path);
            const TileHandle tile = loader.get_tile(path);
            EXPECT_TRUE(is_tile_of(*tile, {path, {}}));
            ++inside;
          }
        } catch (const Cancelled&) {
        }
      });
    }
    EXPECT_TRUE(eventually([&] { return inside > 100; }));
    loader.shutdown();
    threads.clear();
    const LoaderStatistics stats = loader.get_stats();
    expect_consistent(stats);
    EXPECT_EQ(stats.bytes_held, 0U);
  }
}

}  // namespace
}  // namespace tuile::prefetch::test
