#include <atomic>
#include <latch>
#include <string>

#include "tuile/core/error.hpp"
#include "tuile/prefetch/async_tile_loader.hpp"

namespace tuile::prefetch {
namespace {

Tile small_tile() {
  Tile tile;
  tile.points.units = Buffer<GridPoint>(4, GridPoint{1, 2, 3});
  return tile;
}

/// A loader of one worker that is in the load of "a", until go.
struct HeldLoader {
  std::latch started{1}, go{1};
  std::atomic<int> loads{0};
  AsyncTileLoader loader{{.num_workers = 1}, [this](const TileRequest& request, std::stop_token) {
                           ++loads;
                           if (request.path == "a") {
                             started.count_down();
                             go.wait();
                           }
                           return small_tile();
                         }};
  HeldLoader() {
    loader.preload_tile("a");
    started.wait();
  }
};

TEST(LoaderRelease, AFinishedTileLeavesItsHandleLives) {
  std::atomic<int> loads{0};
  AsyncTileLoader loader({.num_workers = 1}, [&](const TileRequest&, std::stop_token) {
    ++loads;
    return small_tile();
  });
  const TileHandle handle = loader.get_tile("a");
  loader.release("a");
  EXPECT_EQ(loader.get_stats().tiles_cached, 0U);
  EXPECT_EQ(handle->points.units[3], (GridPoint{1, 2, 3}));
  loader.get_tile("a");
  EXPECT_EQ(loads.load(), 2);
}

TEST(LoaderRelease, AQueuedPreloadIsTakenBack) {
  HeldLoader held;
  AsyncTileLoader& loader = held.loader;
  loader.preload_tile("b");
  loader.release("b");
  held.go.count_down();
  loader.get_tile("a");
  loader.get_tile("c");
  EXPECT_EQ(held.loads.load(), 2) << "b was never loaded";
}

TEST(LoaderRelease, ARunningLoadIsNotKept) {
  HeldLoader held;
  AsyncTileLoader& loader = held.loader;
  loader.release("a");
  held.go.count_down();
  loader.get_tile("b");
  EXPECT_EQ(loader.get_stats().tiles_loaded, 2U);
  EXPECT_EQ(loader.get_stats().tiles_cached, 1U);
}

TEST(LoaderRelease, AskingAgainWhileItRunsKeepsIt) {
  HeldLoader held;
  AsyncTileLoader& loader = held.loader;
  loader.release("a");
  loader.preload_tile("a");
  held.go.count_down();
  loader.get_tile("b");
  EXPECT_EQ(loader.get_stats().tiles_cached, 2U);
  EXPECT_EQ(loader.get_tile("a")->points.size(), 4U);
  EXPECT_EQ(loader.get_stats().hits_ready, 1U);
}

TEST(LoaderRelease, AStoredErrorAndTheUnknownAreForgotten) {
  std::atomic<bool> fail{true};
  AsyncTileLoader loader({.num_workers = 1, .retries = 0}, [&](const TileRequest&, std::stop_token) {
    if (fail) throw CorruptData("bad");
    return small_tile();
  });
  const TileFuture future = loader.preload_tile("a");
  while (!future.ready()) std::this_thread::yield();
  fail = false;
  loader.release("a");
  loader.release("never heard of");
  EXPECT_EQ(loader.get_tile("a")->points.size(), 4U);
}

}  // namespace
}  // namespace tuile::prefetch
