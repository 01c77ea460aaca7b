#include <future>

#include "fake_store.hpp"

namespace tuile::prefetch::test {
namespace {

TEST(LoaderWorkers, MoreLoadsRunAtOnceWhenAllowed) {
  FakeStore store;
  for (const char* path : {"a", "b", "c", "d"}) store.close(path);
  AsyncTileLoader loader(options_with(1, 8), store.function());
  for (const char* path : {"a", "b", "c", "d"}) loader.preload_tile(path);
  store.wait_for_calls("a", 1);
  EXPECT_EQ(store.calls("b"), 0);
  loader.set_workers(3);
  store.wait_for_calls("b", 1);
  store.wait_for_calls("c", 1);
  EXPECT_EQ(store.calls("d"), 0);
  EXPECT_GT(loader.get_stats().oldest_load, 0);
  for (const char* path : {"a", "b", "c", "d"}) store.open(path);
  for (const char* path : {"a", "b", "c", "d"}) EXPECT_TRUE(is_tile_of(*loader.get_tile(path), {path, {}}));
  EXPECT_EQ(loader.get_stats().oldest_load, 0);
}

TEST(LoaderWorkers, FewerRestOnceTheirLoadsAreDone) {
  FakeStore store;
  for (const char* path : {"a", "b", "c", "d"}) store.close(path);
  AsyncTileLoader loader(options_with(2, 8), store.function());
  for (const char* path : {"a", "b", "c", "d"}) loader.preload_tile(path);
  store.wait_for_calls("a", 1);
  store.wait_for_calls("b", 1);
  loader.set_workers(1);
  store.open("a");
  EXPECT_TRUE(loader.get_tile("a"));
  EXPECT_EQ(store.calls("c"), 0);  // b still runs
  store.open("b");
  store.wait_for_calls("c", 1);
  EXPECT_EQ(store.calls("d"), 0);
  store.open("c");
  store.open("d");
  EXPECT_TRUE(loader.get_tile("d"));
}

TEST(LoaderWorkers, TheSequentialLoaderStaysSo) {
  FakeStore store;
  AsyncTileLoader loader(options_with(0, 8), store.function());
  loader.set_workers(4);
  const TileFuture future = loader.preload_tile("a");
  EXPECT_FALSE(future.ready());
  EXPECT_TRUE(loader.get_tile("a"));
}

TEST(LoaderWorkers, WrongNumbersAreRefusedAndAfterTheEndNothingStarts) {
  FakeStore store;
  AsyncTileLoader loader(options_with(1, 8), store.function());
  EXPECT_THROW(loader.set_workers(0), InvalidArgument);
  EXPECT_THROW(loader.set_workers(1025), InvalidArgument);
  loader.shutdown();
  loader.set_workers(8);
  EXPECT_THROW(loader.get_tile("a"), Cancelled);
}

TEST(LoaderWorkers, ChangesWhileEverybodyIsBusy) {
  FakeStore store;
  AsyncTileLoader loader(options_with(2, 64), store.function());
  std::vector<std::future<void>> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.push_back(std::async(std::launch::async, [&loader, caller] {
      for (int i = 0; i < 300; ++i) {
        const std::string path = std::to_string(i % 50 + caller);
        if (i % 3 == 0) loader.preload_tile(path);
        EXPECT_TRUE(is_tile_of(*loader.get_tile(path), {path, {}}));
      }
    }));
  }
  for (int i = 0; i < 60; ++i) loader.set_workers(1 + i % 7);
  for (std::future<void>& caller : callers) caller.get();
}

TEST(LoaderWorkers, PreloadsAreCountedAsExpectedUntilOneIsKnown) {
  FakeStore store;
  store.close("a");
  LoaderOptions options = options_with(4, 8);
  options.memory_budget = 10 * store.tile_bytes();
  options.expected_bytes = 8 * store.tile_bytes();
  AsyncTileLoader loader(options, store.function());
  loader.preload_tile("a");
  store.wait_for_calls("a", 1);
  loader.preload_tile("b");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(store.calls("b"), 0);  // two such tiles would be more than the budget
  store.open("a");
  store.wait_for_calls("b", 1);
}

}  // namespace
}  // namespace tuile::prefetch::test
