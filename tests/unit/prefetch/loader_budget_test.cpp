#include <future>
#include <optional>

#include "fake_store.hpp"

namespace tuile::prefetch::test {
namespace {

/// Gives the loader's threads many occasions to start what should not start.
void keep_busy(AsyncTileLoader& loader, const std::string& prefix) {
  for (int i = 0; i < 30; ++i) loader.get_tile(prefix + std::to_string(i));
}

TEST(LoaderCache, EvictsTheLeastRecentlyUsed) {  // the seed's was the first that came in
  FakeStore store;
  AsyncTileLoader loader(options_with(1, 3), store.function());
  for (const char* path : {"a", "b", "c"}) loader.get_tile(path);
  loader.get_tile("a");
  loader.get_tile("d");  // b is the oldest use
  EXPECT_EQ(loader.get_stats().evictions, 1U);
  for (const char* path : {"a", "c", "d"}) loader.get_tile(path);
  for (const char* path : {"a", "c", "d"}) EXPECT_EQ(store.calls(path), 1) << path;
  loader.get_tile("b");
  EXPECT_EQ(store.calls("b"), 2);
  EXPECT_EQ(loader.get_stats().tiles_cached, 3U);
  EXPECT_EQ(loader.get_stats().bytes_cached, 3 * store.tile_bytes());
}

TEST(LoaderCache, PreloadOfACachedTileIsAUse) {
  FakeStore store;
  AsyncTileLoader loader(options_with(1, 2), store.function());
  loader.get_tile("a");
  loader.get_tile("b");
  EXPECT_TRUE(loader.preload_tile("a").ready());
  loader.get_tile("c");
  loader.get_tile("a");
  EXPECT_EQ(store.calls("a"), 1);
}

TEST(LoaderCache, TheNewestStaysThoughNobodyGotIt) {
  FakeStore store;
  AsyncTileLoader loader(options_with(1, 1), store.function());
  const TileHandle held = loader.get_tile("a");
  const TileFuture future = loader.preload_tile("b");
  ASSERT_TRUE(eventually([&] { return future.ready(); }));
  EXPECT_TRUE(future.get());
  EXPECT_EQ(store.calls("b"), 1);
  EXPECT_TRUE(is_tile_of(*held, {"a", {}}));  // left the cache, not the memory
  EXPECT_EQ(loader.get_stats().tiles_cached, 1U);
  EXPECT_EQ(loader.get_stats().bytes_held, 2 * store.tile_bytes());
}

TEST(LoaderCache, WaitersReceiveATileThatIsEvictedAtOnce) {
  FakeStore store;
  store.close("a");
  AsyncTileLoader loader(options_with(2, 1), store.function());
  auto caller = std::async(std::launch::async, [&] { return loader.get_tile("a"); });
  store.wait_for_calls("a", 1);
  ASSERT_TRUE(callers_are_in(loader, 1));
  store.open("a");
  for (int i = 0; i < 50; ++i) loader.preload_tile("other" + std::to_string(i));
  EXPECT_TRUE(is_tile_of(*caller.get(), {"a", {}}));
}

TEST(LoaderCache, HandlesOutliveClearCacheAndTheLoader) {
  FakeStore store(1000);
  std::optional<AsyncTileLoader> loader;
  loader.emplace(options_with(2, 2), store.function());
  const TileHandle cleared = loader->get_tile("a");
  loader->clear_cache();
  EXPECT_EQ(loader->get_stats().tiles_cached, 0U);
  EXPECT_EQ(loader->get_stats().bytes_cached, 0U);
  EXPECT_EQ(loader->get_stats().bytes_held, store.tile_bytes());
  EXPECT_EQ(loader->get_stats().evictions, 0U);
  const TileHandle cached = loader->get_tile("a");
  EXPECT_EQ(store.calls("a"), 2);
  EXPECT_NE(cached.get(), cleared.get());
  loader.reset();
  EXPECT_TRUE(is_tile_of(*cleared, {"a", {}}));
  EXPECT_TRUE(is_tile_of(*cached, {"a", {}}));
}

TEST(LoaderCache, BytesComeBackWhenHandlesGo) {
  FakeStore store;
  const std::size_t size = store.tile_bytes();
  AsyncTileLoader loader(options_with(1, 1), store.function());
  TileHandle a = loader.get_tile("a");
  TileHandle copy = a;
  TileHandle again = loader.get_tile("a");
  TileHandle b = loader.get_tile("b");
  EXPECT_EQ(loader.get_stats().bytes_held, 2 * size);
  a.reset();
  again.reset();
  EXPECT_EQ(loader.get_stats().bytes_held, 2 * size);
  copy.reset();
  EXPECT_EQ(loader.get_stats().bytes_held, size);
  b.reset();
  EXPECT_EQ(loader.get_stats().bytes_held, size);  // still cached
  loader.clear_cache();
  EXPECT_EQ(loader.get_stats().bytes_held, 0U);
}

TEST(LoaderCache, ClearCacheLetsLoadsInFlightGoOn) {
  FakeStore store;
  store.close("a");
  AsyncTileLoader loader(options_with(1), store.function());
  const TileFuture future = loader.preload_tile("a");
  store.wait_for_calls("a", 1);
  loader.clear_cache();
  EXPECT_FALSE(future.ready());
  store.open("a");
  EXPECT_TRUE(future.get());
  EXPECT_EQ(store.calls("a"), 1);
}

TEST(LoaderBudget, PreloadWaitsForTilesInUseAndStartsWhenOneIsLetGo) {
  FakeStore store;
  AsyncTileLoader loader(options_with(2, 8, 2 * store.tile_bytes()), store.function());
  TileHandle a = loader.get_tile("a");
  TileHandle b = loader.get_tile("b");
  const TileFuture waiting = loader.preload_tile("c");
  keep_busy(loader, "busy");  // get_tile is admitted all the same
  EXPECT_EQ(store.calls("c"), 0);
  EXPECT_FALSE(waiting.ready());
  b.reset();
  EXPECT_TRUE(eventually([&] { return waiting.ready(); }));
  EXPECT_EQ(store.calls("c"), 1);
}

TEST(LoaderBudget, AHandleThatOutlivesItsEvictionStillCounts) {
  FakeStore store;
  AsyncTileLoader loader(options_with(2, 1, 2 * store.tile_bytes()), store.function());
  TileHandle evicted = loader.get_tile("a");
  const TileHandle cached = loader.get_tile("b");  // a leaves by count
  EXPECT_EQ(loader.get_stats().evictions, 1U);
  const TileFuture waiting = loader.preload_tile("c");
  keep_busy(loader, "busy");
  EXPECT_EQ(store.calls("c"), 0);
  evicted.reset();
  EXPECT_TRUE(eventually([&] { return waiting.ready(); }));
}

TEST(LoaderBudget, GetAdmitsAWaitingPreload) {
  FakeStore store;
  AsyncTileLoader loader(options_with(1, 8, store.tile_bytes()), store.function());
  const TileHandle held = loader.get_tile("a");
  const TileFuture first = loader.preload_tile("b");
  const TileFuture second = loader.preload_tile("c");
  EXPECT_TRUE(is_tile_of(*second.get(), {"c", {}}));
  EXPECT_TRUE(is_tile_of(*loader.get_tile("b"), {"b", {}}));
  EXPECT_EQ(store.calls("b") + store.calls("c"), 2);
  EXPECT_EQ(loader.get_stats().hits_in_flight, 2U);
}

TEST(LoaderBudget, CachedTilesWithoutUsersMakeRoomForPreloads) {
  FakeStore store;
  AsyncTileLoader loader(options_with(1, 8, 2 * store.tile_bytes()), store.function());
  const TileHandle used = loader.get_tile("a");  // the oldest, but in use
  loader.get_tile("b");
  ASSERT_TRUE(eventually([future = loader.preload_tile("c")] { return future.ready(); }));
  EXPECT_EQ(loader.get_stats().evictions, 1U);
  EXPECT_EQ(loader.get_stats().bytes_held, 2 * store.tile_bytes());
  loader.get_tile("a");
  loader.get_tile("c");
  EXPECT_EQ(store.calls("a") + store.calls("c"), 2);
  loader.get_tile("b");
  EXPECT_EQ(store.calls("b"), 2);
}

TEST(LoaderBudget, ATileLargerThanTheBudgetGoesThrough) {
  for (const std::size_t budget : {std::size_t{0}, std::size_t{1}, std::size_t{500}}) {
    FakeStore store(1000);
    AsyncTileLoader loader(options_with(2, 3, budget), store.function());
    for (const char* path : {"a", "b", "c"}) {
      const TileFuture future = loader.preload_tile(path);
      ASSERT_TRUE(eventually([&] { return future.ready(); }));
      EXPECT_TRUE(is_tile_of(*future.get(), {path, {}}));
      EXPECT_EQ(store.calls(path), 1);
    }
    EXPECT_EQ(loader.get_stats().tiles_cached, 1U);
  }
}

TEST(LoaderBudget, LoadsInFlightCountWithTheMeanSize) {
  FakeStore store;
  store.close("b");
  AsyncTileLoader loader(options_with(3, 8, 2 * store.tile_bytes()), store.function());
  const TileHandle held = loader.get_tile("a");  // from here on the mean is known
  loader.preload_tile("b");
  store.wait_for_calls("b", 1);
  const TileFuture waiting = loader.preload_tile("c");
  keep_busy(loader, "busy");
  EXPECT_EQ(store.calls("c"), 0);
  store.open("b");
  EXPECT_TRUE(eventually([&] { return waiting.ready(); }));  // b has no user, so it leaves for c
}

TEST(LoaderBudget, IsKeptOnceWhatWasHeldIsLetGo) {
  FakeStore store;
  AsyncTileLoader loader(options_with(1, 16, 2 * store.tile_bytes()), store.function());
  std::vector<TileHandle> held;
  for (int i = 0; i < 10; ++i) held.push_back(loader.get_tile(std::to_string(i)));
  EXPECT_EQ(loader.get_stats().bytes_held, 10 * store.tile_bytes());
  held.clear();
  EXPECT_EQ(loader.get_stats().bytes_held, 2 * store.tile_bytes());
  loader.get_tile("9");
  loader.get_tile("8");
  EXPECT_EQ(store.calls("9") + store.calls("8"), 2);
}

TEST(LoaderKeepPreloaded, TilesAreReadBeforeTheyMakeRoom) {
  FakeStore store;
  LoaderOptions options = options_with(2, 16, 3 * store.tile_bytes());
  options.keep_preloaded = true;
  AsyncTileLoader loader(options, store.function());
  loader.get_tile("first");  // the mean is known
  for (int i = 0; i < 40; ++i) loader.preload_tile(std::to_string(i));
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(is_tile_of(*loader.get_tile(std::to_string(i)), {std::to_string(i), {}}));
    EXPECT_LE(loader.get_stats().bytes_held, 4 * store.tile_bytes());  // the one just got may be admitted over the budget
  }
  EXPECT_EQ(loader.get_stats().tiles_loaded, 41U);  // none twice
}

TEST(LoaderKeepPreloaded, TheCountIsKeptToo) {
  FakeStore store;
  LoaderOptions options = options_with(4, 3);
  options.keep_preloaded = true;
  AsyncTileLoader loader(options, store.function());
  for (int i = 0; i < 40; ++i) loader.preload_tile(std::to_string(i));
  for (int i = 0; i < 40; ++i) loader.get_tile(std::to_string(i));
  EXPECT_EQ(loader.get_stats().tiles_loaded, 40U);
  EXPECT_LE(loader.get_stats().tiles_cached, 3U);
}

TEST(LoaderKeepPreloaded, UnreadTilesStillLeaveForTilesThatAreGot) {
  FakeStore store;
  LoaderOptions options = options_with(1, 2);
  options.keep_preloaded = true;
  AsyncTileLoader loader(options, store.function());
  for (const char* path : {"a", "b"}) {
    ASSERT_TRUE(eventually([future = loader.preload_tile(path)] { return future.ready(); }));
  }
  loader.get_tile("c");  // all the others are unread: the oldest goes
  EXPECT_EQ(loader.get_stats().tiles_cached, 2U);
  loader.get_tile("b");
  EXPECT_EQ(store.calls("b"), 1);
}

}  // namespace
}  // namespace tuile::prefetch::test
