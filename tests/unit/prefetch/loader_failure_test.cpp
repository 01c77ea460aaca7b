#include <future>
#include <new>
#include <stdexcept>

#include "fake_store.hpp"

namespace tuile::prefetch::test {
namespace {

using Seconds = std::chrono::duration<double>;

void throw_io() { throw IoError("the disk hiccuped"); }
void throw_corrupt() { throw CorruptData("chunk 3 is broken"); }

TEST(LoaderFailure, PassingErrorsAreRetried) {
  for (const int workers : {0, 1}) {
    FakeStore store;
    store.fail("a", 2, throw_io);
    AsyncTileLoader loader(options_with(workers), store.function());
    EXPECT_TRUE(is_tile_of(*loader.get_tile("a"), {"a", {}}));
    EXPECT_EQ(store.calls("a"), 3);
    EXPECT_EQ(loader.get_stats().retries, 2U);
    EXPECT_EQ(loader.get_stats().tiles_loaded, 1U);
    EXPECT_EQ(loader.get_stats().loads_failed, 0U);
  }
}

TEST(LoaderFailure, EndsAfterTheRetries) {
  FakeStore store;
  store.fail("a", 3, throw_io);
  AsyncTileLoader loader(options_with(1), store.function());
  EXPECT_THROW(loader.get_tile("a"), IoError);
  EXPECT_EQ(store.calls("a"), 3);
  EXPECT_EQ(loader.get_stats().retries, 2U);
  EXPECT_EQ(loader.get_stats().loads_failed, 1U);
}

TEST(LoaderFailure, OtherErrorsAreNotRetried) {
  FakeStore store;
  store.fail("a", 1, throw_corrupt);
  AsyncTileLoader loader(options_with(1), store.function());
  EXPECT_THROW(loader.get_tile("a"), CorruptData);
  EXPECT_EQ(store.calls("a"), 1);
  EXPECT_EQ(loader.get_stats().retries, 0U);
}

TEST(LoaderFailure, NeedsNoRetries) {
  FakeStore store;
  store.fail("a", 1, throw_io);
  LoaderOptions options = options_with(1);
  options.retries = 0;
  AsyncTileLoader loader(options, store.function());
  EXPECT_THROW(loader.get_tile("a"), IoError);
  EXPECT_EQ(store.calls("a"), 1);
}

TEST(LoaderFailure, ErrorOfAPreloadIsKeptThrownOnceThenForgotten) {
  FakeStore store;
  store.fail("a", 1, throw_corrupt);
  AsyncTileLoader loader(options_with(1), store.function());
  const TileFuture future = loader.preload_tile("a");
  ASSERT_TRUE(eventually([&] { return future.ready(); }));
  EXPECT_EQ(store.calls("a"), 1);
  try {
    future.get();
    FAIL() << "no error";
  } catch (const CorruptData& error) {
    EXPECT_STREQ(error.what(), "chunk 3 is broken");
  }
  EXPECT_EQ(loader.get_stats().hits_ready, 1U);
  EXPECT_TRUE(is_tile_of(*future.get(), {"a", {}}));  // loads anew
  EXPECT_EQ(store.calls("a"), 2);
  expect_consistent(loader.get_stats());
}

TEST(LoaderFailure, PreloadTriesAnew) {
  FakeStore store;
  store.fail("a", 1, throw_corrupt);
  AsyncTileLoader loader(options_with(1), store.function());
  const TileFuture future = loader.preload_tile("a");
  ASSERT_TRUE(eventually([&] { return future.ready(); }));
  loader.preload_tile("a");
  EXPECT_TRUE(is_tile_of(*loader.get_tile("a"), {"a", {}}));
  EXPECT_EQ(store.calls("a"), 2);
}

TEST(LoaderFailure, ClearCacheForgetsErrors) {
  FakeStore store;
  store.fail("a", 1, throw_corrupt);
  AsyncTileLoader loader(options_with(1), store.function());
  const TileFuture future = loader.preload_tile("a");
  ASSERT_TRUE(eventually([&] { return future.ready(); }));
  loader.clear_cache();
  EXPECT_TRUE(is_tile_of(*loader.get_tile("a"), {"a", {}}));
}

TEST(LoaderFailure, EveryWaiterGetsTheSameError) {
  FakeStore store;
  store.close("a");
  store.fail("a", 1, throw_corrupt);
  AsyncTileLoader loader(options_with(1), store.function());
  std::vector<std::future<void>> callers;
  for (int i = 0; i < 6; ++i) {
    callers.push_back(std::async(std::launch::async, [&] { EXPECT_THROW(loader.get_tile("a"), CorruptData); }));
  }
  ASSERT_TRUE(callers_are_in(loader, 6));
  store.open("a");
  for (auto& caller : callers) caller.get();
  EXPECT_EQ(store.calls("a"), 1);
  EXPECT_TRUE(is_tile_of(*loader.get_tile("a"), {"a", {}}));  // it was thrown, so it is forgotten
}

TEST(LoaderFailure, OfOneTileLeavesTheOthersAlone) {
  FakeStore store;
  store.fail("bad", 1, throw_corrupt);
  AsyncTileLoader loader(options_with(2, 8), store.function());
  for (const char* path : {"a", "bad", "b"}) loader.preload_tile(path);
  EXPECT_TRUE(is_tile_of(*loader.get_tile("a"), {"a", {}}));
  EXPECT_THROW(loader.get_tile("bad"), CorruptData);
  EXPECT_TRUE(is_tile_of(*loader.get_tile("b"), {"b", {}}));
}

TEST(LoaderFailure, ForeignExceptionsComeThroughAndTheThreadLives) {
  struct Strange {};
  FakeStore store;
  store.fail("memory", 1, [] { throw std::bad_alloc(); });
  store.fail("logic", 1, [] { throw std::logic_error("foreign"); });
  store.fail("strange", 1, [] { throw Strange(); });
  AsyncTileLoader loader(options_with(1), store.function());
  EXPECT_THROW(loader.get_tile("memory"), OutOfMemory);
  EXPECT_THROW(loader.get_tile("logic"), std::logic_error);
  EXPECT_THROW(loader.get_tile("strange"), Strange);
  EXPECT_TRUE(is_tile_of(*loader.get_tile("fine"), {"fine", {}}));
  EXPECT_EQ(loader.get_stats().loads_failed, 3U);
}

TEST(LoaderFailure, TimeoutWhileTheLoadFailsLeavesTheErrorForTheNext) {
  FakeStore store;
  store.close("a");
  store.fail("a", 1, throw_corrupt);
  AsyncTileLoader loader(options_with(1), store.function());
  EXPECT_THROW(loader.get_tile("a", Seconds(0.001)), TimeoutError);
  store.open("a");
  ASSERT_TRUE(eventually([&] { return loader.get_stats().loads_failed == 1; }));
  EXPECT_THROW(loader.get_tile("a"), CorruptData);
  EXPECT_TRUE(loader.get_tile("a"));
}

TEST(LoaderFailure, DelayBeforeRetryIsNoIdleWaitForOtherTiles) {
  FakeStore store;
  store.fail("slow", 1, throw_io);
  LoaderOptions options = options_with(2);
  options.retry_delay = std::chrono::hours(1);
  AsyncTileLoader loader(options, store.function());
  loader.preload_tile("slow");
  store.wait_for_calls("slow", 1);
  EXPECT_TRUE(loader.get_tile("a"));
  EXPECT_TRUE(loader.preload_tile("b").get());
  // The destructor does not wait for the hour.
}

}  // namespace
}  // namespace tuile::prefetch::test
