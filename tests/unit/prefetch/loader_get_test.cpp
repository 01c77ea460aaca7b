#include <future>
#include <limits>
#include <thread>

#include "fake_store.hpp"

namespace tuile::prefetch::test {
namespace {

using Seconds = std::chrono::duration<double>;

TEST(LoaderGet, UnknownTileIsLoadedAndThenReady) {  // the seed's miss took its lock twice
  for (const int workers : {0, 1, 2}) {
    FakeStore store;
    AsyncTileLoader loader(options_with(workers), store.function());
    const TileHandle first = loader.get_tile("a");
    const TileHandle again = loader.get_tile("a");
    EXPECT_TRUE(is_tile_of(*first, {"a", {}}));
    EXPECT_EQ(first.get(), again.get());
    EXPECT_EQ(store.calls("a"), 1);
    const LoaderStatistics stats = loader.get_stats();
    EXPECT_EQ(stats.requests, 2U);
    EXPECT_EQ(stats.misses, 1U);
    EXPECT_EQ(stats.hits_ready, 1U);
    EXPECT_EQ(stats.hits_in_flight, 0U);
    EXPECT_EQ(stats.tiles_loaded, 1U);
  }
}

TEST(LoaderGet, PreloadedTileIsInTheCacheBeforeAnybodyGetsIt) {
  FakeStore store;
  AsyncTileLoader loader(options_with(2), store.function());
  const TileFuture future = loader.preload_tile("a");
  ASSERT_TRUE(eventually([&] { return future.ready(); }));
  EXPECT_EQ(loader.get_stats().tiles_cached, 1U);
  EXPECT_EQ(loader.get_stats().bytes_cached, store.tile_bytes());
  EXPECT_TRUE(is_tile_of(*future.get(), {"a", {}}));
  EXPECT_EQ(loader.get_stats().hits_ready, 1U);
  EXPECT_DOUBLE_EQ(loader.get_stats().cache_hit_rate(), 1.0);
}

TEST(LoaderGet, LoadInFlightIsSharedAndCountsAsHit) {  // the seed counted it as nothing
  FakeStore store;
  store.close("a");
  AsyncTileLoader loader(options_with(2), store.function());
  const TileFuture future = loader.preload_tile("a");
  loader.preload_tile("a");
  store.wait_for_calls("a", 1);
  EXPECT_FALSE(future.ready());
  std::vector<std::future<TileHandle>> callers;
  for (int i = 0; i < 8; ++i) callers.push_back(std::async(std::launch::async, [&] { return loader.get_tile("a"); }));
  ASSERT_TRUE(callers_are_in(loader, 8));
  store.open("a");
  const TileHandle first = callers.front().get();
  for (std::size_t i = 1; i < callers.size(); ++i) EXPECT_EQ(callers[i].get().get(), first.get());
  EXPECT_EQ(store.calls("a"), 1);
  EXPECT_EQ(loader.get_stats().hits_in_flight, 8U);
  EXPECT_EQ(loader.get_stats().misses, 0U);
}

TEST(LoaderGet, PathAndBboxMakeTheRequest) {
  FakeStore store;
  AsyncTileLoader loader(options_with(2, 8), store.function());
  const Bounds left{0.0, 0.0, 10.0, 10.0};
  const Bounds right{10.0, 0.0, 20.0, 10.0};
  const TileHandle whole = loader.get_tile("a");
  const TileHandle part = loader.get_tile("a", std::nullopt, left);
  const TileHandle other = loader.preload_tile("a", right).get();
  EXPECT_TRUE(is_tile_of(*whole, {"a", {}}));
  EXPECT_TRUE(is_tile_of(*part, {"a", left}));
  EXPECT_TRUE(is_tile_of(*other, {"a", right}));
  EXPECT_EQ(loader.get_tile("a", std::nullopt, Bounds{-0.0, 0.0, 10.0, 10.0}).get(), part.get());
  EXPECT_EQ(store.calls("a"), 3);
}

TEST(LoaderGet, WaitingCallersGoBeforePreloads) {
  FakeStore store;
  store.close("busy");
  AsyncTileLoader loader(options_with(1, 8), store.function());
  loader.preload_tile("busy");
  store.wait_for_calls("busy", 1);
  for (const char* path : {"p1", "p2", "p3"}) loader.preload_tile(path);
  auto unknown = std::async(std::launch::async, [&] { return loader.get_tile("g"); });
  ASSERT_TRUE(callers_are_in(loader, 1));
  auto promoted = std::async(std::launch::async, [&] { return loader.get_tile("p3"); });
  ASSERT_TRUE(callers_are_in(loader, 2));
  store.open("busy");
  unknown.get();
  promoted.get();
  ASSERT_TRUE(eventually([&] { return loader.get_stats().tiles_loaded == 5; }));
  EXPECT_EQ(store.order(), (std::vector<std::string>{"busy", "g", "p3", "p1", "p2"}));
}

TEST(LoaderGet, LoadsRunOnTheWorkersOnly) {
  FakeStore store;
  AsyncTileLoader loader(options_with(2, 64), store.function());
  std::vector<std::jthread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&, i] {
      for (int k = 0; k < 8; ++k) loader.get_tile(std::to_string(8 * i + k));
    });
  }
  callers.clear();
  EXPECT_LE(store.most_at_once(), 2);
  EXPECT_EQ(loader.get_stats().tiles_loaded, 64U);
}

TEST(LoaderGet, BatchPreloadsEachInOrder) {
  FakeStore store;
  AsyncTileLoader loader(options_with(1, 3), store.function());
  const std::vector<std::string> paths{"a", "b", "c"};
  const std::vector<TileFuture> futures = loader.preload_tile_batch(paths);
  ASSERT_EQ(futures.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(is_tile_of(*futures[i].get(), {paths[i], {}}));
  EXPECT_EQ(loader.get_stats().tiles_loaded, 3U);
}

TEST(LoaderTimeout, ThrowsTimeoutErrorAndTheLoadGoesOn) {
  FakeStore store;
  store.close("a");
  AsyncTileLoader loader(options_with(1), store.function());
  EXPECT_THROW(loader.get_tile("a", Seconds(0.005)), TimeoutError);
  EXPECT_THROW(loader.get_tile("a", Seconds(0.0)), TimeoutError);
  store.open("a");
  EXPECT_TRUE(is_tile_of(*loader.get_tile("a"), {"a", {}}));
  EXPECT_EQ(store.calls("a"), 1);
  const LoaderStatistics stats = loader.get_stats();
  expect_consistent(stats);
  EXPECT_EQ(stats.misses, 1U);
  EXPECT_EQ(stats.requests, 3U);
  EXPECT_GE(stats.wait_seconds, 0.005);
}

TEST(LoaderTimeout, OfZeroPolls) {
  FakeStore store;
  AsyncTileLoader loader(options_with(1), store.function());
  EXPECT_TRUE(eventually([&] {
    try {
      return is_tile_of(*loader.get_tile("a", Seconds(0.0)), {"a", {}});
    } catch (const TimeoutError&) {
      return false;
    }
  }));
  EXPECT_EQ(store.calls("a"), 1);
}

TEST(LoaderTimeout, AnyNumberIsHandled) {
  FakeStore store;
  AsyncTileLoader loader(options_with(1, 8), store.function());
  EXPECT_TRUE(loader.get_tile("a", Seconds(std::numeric_limits<double>::infinity())));
  EXPECT_TRUE(loader.get_tile("b", Seconds(std::numeric_limits<double>::max())));
  EXPECT_TRUE(loader.get_tile("c", Seconds(9e7)));
  EXPECT_THROW(loader.get_tile("d", Seconds(-1e-9)), InvalidArgument);
  EXPECT_THROW(loader.get_tile("d", Seconds(-std::numeric_limits<double>::infinity())), InvalidArgument);
  EXPECT_THROW(loader.get_tile("d", Seconds(std::numeric_limits<double>::quiet_NaN())), InvalidArgument);
  EXPECT_EQ(store.calls("d"), 0);
  EXPECT_EQ(loader.get_stats().requests, 3U);
}

TEST(LoaderSequential, PreloadRecordsAndTheFirstGetLoadsInItsOwnThread) {
  std::thread::id loaded_by;
  AsyncTileLoader loader(options_with(0), [&](const TileRequest& request, std::stop_token) {
    loaded_by = std::this_thread::get_id();
    return make_tile(request, 5);
  });
  const TileFuture future = loader.preload_tile("a");
  EXPECT_FALSE(future.ready());
  EXPECT_TRUE(is_tile_of(*future.get(Seconds(0.0)), {"a", {}}));
  EXPECT_TRUE(future.ready());
  EXPECT_EQ(loaded_by, std::this_thread::get_id());
  EXPECT_EQ(loader.get_stats().misses, 1U);
  EXPECT_EQ(loader.get_stats().cache_hit_rate(), 0.0);
}

TEST(LoaderSequential, OtherCallersWaitForTheOneThatLoads) {
  FakeStore store;
  store.close("a");
  AsyncTileLoader loader(options_with(0), store.function());
  auto first = std::async(std::launch::async, [&] { return loader.get_tile("a"); });
  store.wait_for_calls("a", 1);
  EXPECT_THROW(loader.get_tile("a", Seconds(0.001)), TimeoutError);
  EXPECT_TRUE(loader.get_tile("b"));  // others do not wait for it
  auto second = std::async(std::launch::async, [&] { return loader.get_tile("a"); });
  ASSERT_TRUE(callers_are_in(loader, 4));
  store.open("a");
  EXPECT_EQ(first.get().get(), second.get().get());
  EXPECT_EQ(store.calls("a"), 1);
}

TEST(LoaderStatisticsText, HasTheSeedsForm) {
  LoaderStatistics stats;
  stats.tiles_loaded = 10;
  stats.requests = 10;
  stats.hits_ready = 7;
  stats.hits_in_flight = 2;
  stats.misses = 1;
  stats.io_seconds = 1.15;
  stats.wait_seconds = 0.12;
  EXPECT_EQ(stats.text(),
            "🔄 AsyncTileLoader Statistics:\n"
            "   Tiles Loaded: 10\n"
            "   Cache Hit Rate: 90.0% (hits=9, misses=1)\n"
            "   Avg I/O Time: 115ms\n"
            "   Avg Wait Time: 12ms\n");
  EXPECT_NEAR(stats.io_hidden_ratio(), 1.0 - 0.12 / 1.15, 1e-12);
  stats.loads_failed = 1;
  stats.retries = 2;
  EXPECT_NE(stats.text().find("   Loads Failed: 1 (retries=2)\n"), std::string::npos);
  EXPECT_NE(LoaderStatistics{}.text().find("Cache Hit Rate: 0.0% (hits=0, misses=0)"), std::string::npos);
}

TEST(LoaderStatisticsText, TimesAreThoseOfTheLoads) {
  AsyncTileLoader loader(options_with(0), [](const TileRequest& request, std::stop_token) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return make_tile(request, 1);
  });
  loader.get_tile("a");
  loader.get_tile("b");
  const LoaderStatistics stats = loader.get_stats();
  EXPECT_GE(stats.io_seconds, 0.040);
  EXPECT_GE(stats.wait_seconds, stats.io_seconds);  // nothing is hidden in the sequential mode
  EXPECT_EQ(stats.io_hidden_ratio(), 0.0);
  EXPECT_EQ(loader.stats_text(), stats.text());
}

TEST(LoaderOptionsCheck, NamesTheValue) {
  FakeStore store;
  const auto message_of = [&](LoaderOptions options) -> std::string {
    try {
      const AsyncTileLoader loader(options, store.function());
    } catch (const InvalidArgument& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_NE(message_of(options_with(-3)).find("num_workers is -3"), std::string::npos);
  EXPECT_NE(message_of(options_with(1, 0)).find("cache_size is 0"), std::string::npos);
  LoaderOptions options;
  options.retries = -1;
  EXPECT_NE(message_of(options).find("retries is -1"), std::string::npos);
  options = {};
  options.retry_delay = std::chrono::milliseconds(-5);
  EXPECT_NE(message_of(options).find("retry_delay is -5"), std::string::npos);
  EXPECT_EQ(message_of({}), "accepted");
  EXPECT_THROW(AsyncTileLoader({}, LoadFunction{}), InvalidArgument);
  AsyncTileLoader loader({}, store.function());
  const Bounds broken{std::numeric_limits<double>::quiet_NaN(), 0, 1, 1};
  EXPECT_THROW(loader.preload_tile("a", broken), InvalidArgument);
  EXPECT_THROW(loader.get_tile("a", std::nullopt, broken), InvalidArgument);
}

/// A thread's load goes on when its waiter is stopped; one that the caller runs itself ends with it.
TEST(LoaderGet, StopEndsTheWait) {
  for (const int workers : {0, 1}) {
    FakeStore store;
    store.close("a");
    AsyncTileLoader loader(options_with(workers), store.function());
    std::stop_source stop;
    std::future<TileHandle> caller =
        std::async(std::launch::async, [&] { return loader.get_tile("a", std::nullopt, std::nullopt, stop.get_token()); });
    store.wait_for_calls("a", 1);
    stop.request_stop();
    EXPECT_THROW(caller.get(), Cancelled);
    store.open("a");
    EXPECT_TRUE(is_tile_of(*loader.get_tile("a"), {"a", {}}));
    EXPECT_EQ(store.calls("a"), workers == 0 ? 2 : 1);
    const LoaderStatistics stats = loader.get_stats();
    EXPECT_EQ(stats.requests, 2U);
    EXPECT_EQ(stats.hits_ready + stats.hits_in_flight + stats.misses, 2U);
  }
}

TEST(LoaderGet, ReadyTilesNeedNoWaitToStop) {
  FakeStore store;
  AsyncTileLoader loader(options_with(1), store.function());
  loader.get_tile("a");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(is_tile_of(*loader.get_tile("a", std::nullopt, std::nullopt, stop.get_token()), {"a", {}}));
}

}  // namespace
}  // namespace tuile::prefetch::test
