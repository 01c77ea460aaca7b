// Many threads do everything at once for a bounded time; afterwards every number must add up.
#include <algorithm>
#include <array>
#include <atomic>
#include <iostream>
#include <random>

#include "fake_store.hpp"

namespace tuile::prefetch::test {
namespace {

using Seconds = std::chrono::duration<double>;

/// Loads that take a moment, of differing sizes, and fail as told; counts what the loader must report.
struct RandomStore {
  int failures_in_1000 = 0;
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> good{0};
  std::atomic<bool> overlapped{false};
  std::array<std::atomic<int>, 64> running{};

  Tile load(const TileRequest& request, const std::stop_token& stop) {
    const std::uint64_t call = calls++;
    std::atomic<int>& mine = running.at(static_cast<std::size_t>(std::stoi(request.path)));
    if (!request.bbox && mine++ > 0) overlapped = true;
    struct Leave {
      std::atomic<int>* counter;
      ~Leave() {
        if (counter != nullptr) --*counter;
      }
    } const leave{request.bbox ? nullptr : &mine};
    std::minstd_rand random(static_cast<unsigned>(call * 2654435761U + 1));
    random.discard(3);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 300));
    if (stop.stop_requested()) throw Cancelled("stopped");
    if (static_cast<int>(random() % 1000) < failures_in_1000) {
      if (random() % 2 == 0) throw IoError("passing");
      throw CorruptData("lasting");
    }
    Tile tile = make_tile(request, 1 + random() % 200);
    ++good;
    return tile;
  }
};

void stress(int workers, int failures_in_1000, bool keep_preloaded, bool end_by_shutdown) {
  RandomStore store;
  store.failures_in_1000 = failures_in_1000;
  LoaderOptions options = options_with(workers, 6, 12000);
  options.keep_preloaded = keep_preloaded;
  options.retry_delay = std::chrono::milliseconds(1);
  AsyncTileLoader loader(options, [&](const TileRequest& request, std::stop_token stop) { return store.load(request, stop); });

  std::atomic<bool> end{false};
  std::atomic<std::uint64_t> gets{0}, wrong{0}, inconsistent{0};
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      std::vector<TileHandle> held;
      std::vector<TileFuture> futures;
      while (!end) {
        const std::string path = std::to_string(random() % 40);
        std::optional<Bounds> bbox;
        if (random() % 4 == 0) bbox = Bounds{static_cast<double>(random() % 3), 0, 10, 10};
        try {
          const auto what = random() % 100;
          if (what < 30) {
            futures.push_back(loader.preload_tile(path, bbox));
            if (futures.size() > 8) futures.erase(futures.begin());
          } else if (what < 85) {
            std::optional<Seconds> timeout;
            if (what < 50) timeout = Seconds(static_cast<double>(random() % 5) * 1e-4);
            ++gets;
            const TileHandle tile = loader.get_tile(path, timeout, bbox);
            if (!is_tile_of(*tile, {path, bbox})) ++wrong;
            if (random() % 3 == 0) held.push_back(tile);
          } else if (what < 90 && !futures.empty()) {
            ++gets;
            futures.back().get();
          } else if (what < 92) {
            loader.clear_cache();
          } else if (what < 94) {
            loader.release(path, bbox);
          } else if (what < 96) {
            const LoaderStatistics stats = loader.get_stats();
            if (stats.hits_ready + stats.hits_in_flight + stats.misses != stats.requests || stats.bytes_cached > stats.bytes_held ||
                stats.tiles_cached > options.cache_size) {
              ++inconsistent;
            }
          } else {
            held.clear();
          }
          if (held.size() > 5) held.erase(held.begin());
        } catch (const TimeoutError&) {
        } catch (const IoError&) {
        } catch (const CorruptData&) {
        } catch (const Cancelled&) {
          if (!end_by_shutdown) ++wrong;
          break;
        }
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  if (end_by_shutdown) loader.shutdown();
  end = true;
  threads.clear();

  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(inconsistent, 0U);
  EXPECT_FALSE(store.overlapped) << "two loads of one request at once";
  if (!end_by_shutdown) {
    // What was preloaded and is still queued either runs or waits for room; let go of all of it.
    loader.shutdown();
    EXPECT_EQ(loader.get_stats().requests, gets);
  }
  const LoaderStatistics stats = loader.get_stats();
  expect_consistent(stats);
  EXPECT_GT(stats.requests, 100U);
  EXPECT_EQ(stats.tiles_loaded, store.good);
  EXPECT_EQ(stats.tiles_loaded + stats.loads_failed + stats.retries, store.calls);
  EXPECT_EQ(stats.bytes_held, 0U);  // every handle is gone, and shutdown emptied the cache
  if (failures_in_1000 > 0) {
    EXPECT_GT(stats.loads_failed, 0U);
  }
}

TEST(LoaderStress, Sequential) { stress(0, 0, false, false); }
TEST(LoaderStress, OneWorker) { stress(1, 0, false, false); }
TEST(LoaderStress, FourWorkers) { stress(4, 0, false, false); }
TEST(LoaderStress, KeepPreloaded) { stress(3, 0, true, false); }
TEST(LoaderStress, RandomFailures) { stress(4, 200, false, false); }
TEST(LoaderStress, RandomFailuresSequential) { stress(0, 200, false, false); }
TEST(LoaderStress, ShutdownInTheMiddle) { stress(4, 100, false, true); }
TEST(LoaderStress, ShutdownInTheMiddleSequential) { stress(0, 100, false, true); }

TEST(LoaderStress, AccountsForEveryTileOfALongRun) {
  RandomStore store;
  store.failures_in_1000 = 100;
  LoaderOptions options = options_with(4, 4);
  options.retries = 0;
  AsyncTileLoader loader(options, [&](const TileRequest& request, std::stop_token stop) { return store.load(request, stop); });
  constexpr int tiles = 1000;
  int good = 0, bad = 0;
  for (int i = 0; i < tiles; ++i) {
    for (int ahead = 1; ahead <= 3; ++ahead) loader.preload_tile(std::to_string((i + ahead) % 64));
    try {
      if (is_tile_of(*loader.get_tile(std::to_string(i % 64)), {std::to_string(i % 64), {}})) ++good;
    } catch (const Error&) {
      ++bad;
    }
  }
  EXPECT_EQ(good + bad, tiles);
  EXPECT_GT(good, 0);
  EXPECT_GT(bad, 0);
}

/// Prints how long preload_tile takes while loads end, thousands are queued and large tiles are freed. Nothing timed is asserted.
TEST(LoaderLatency, OfPreloadTile) {
  const auto load = [](const TileRequest& request, std::stop_token) {
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    return make_tile(request, 100000);
  };
  AsyncTileLoader loader(options_with(2, 4, 16'000'000), load);
  std::atomic<bool> end{false};
  std::jthread getter([&] {
    for (int i = 0; !end; ++i) loader.get_tile("got " + std::to_string(i));
  });
  std::vector<double> times;
  for (int i = 0; i < 20000; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    loader.preload_tile("ahead " + std::to_string(i));
    times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
  }
  end = true;
  getter.join();
  std::sort(times.begin(), times.end());
  std::cout << "preload_tile: median " << times[times.size() / 2] << " us, 99.9th percentile " << times[times.size() * 999 / 1000]
            << " us, most " << times.back() << " us\n";
  EXPECT_EQ(times.size(), 20000U);
}

}  // namespace
}  // namespace tuile::prefetch::test
