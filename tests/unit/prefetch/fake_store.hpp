#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "tuile/core/error.hpp"
#include "tuile/prefetch/async_tile_loader.hpp"

namespace tuile::prefetch::test {

/// A name for a request, also written into its tile.
inline std::string key_of(const TileRequest& request) {
  if (!request.bbox) return request.path;
  return request.path + "@" + std::to_string(request.bbox->min_x);
}

/// A tile that knows which request it answers: its name as warning, and in its points.
inline Tile make_tile(const TileRequest& request, std::size_t points) {
  Tile tile;
  tile.points.units = Buffer<GridPoint>(points);
  const auto mark = static_cast<std::int32_t>(std::hash<std::string>{}(key_of(request)) & 0xffffffU);
  for (std::size_t i = 0; i < points; ++i) tile.points.units[i] = {mark, static_cast<std::int32_t>(i), -mark};
  tile.warnings = {key_of(request)};
  return tile;
}

/// True where `tile` is what make_tile gives for `request`, every point of it: also finds memory that was freed or reused.
inline bool is_tile_of(const Tile& tile, const TileRequest& request) {
  if (tile.warnings != std::vector<std::string>{key_of(request)}) return false;
  const auto mark = static_cast<std::int32_t>(std::hash<std::string>{}(key_of(request)) & 0xffffffU);
  for (std::size_t i = 0; i < tile.points.size(); ++i) {
    if (tile.points.units[i] != GridPoint{mark, static_cast<std::int32_t>(i), -mark}) return false;
  }
  return true;
}

/// A load function whose loads start, wait and fail when the test says so.
class FakeStore {
 public:
  explicit FakeStore(std::size_t points = 10) : points_(points) {}

  LoadFunction function() {
    return [this](const TileRequest& request, std::stop_token stop) { return load(request, stop); };
  }
  std::size_t tile_bytes() const { return make_tile({}, points_).bytes(); }

  /// Loads of `path` wait in the load function until `open`.
  void close(const std::string& path) {
    const std::lock_guard lock(mutex_);
    closed_.insert(path);
  }
  void open(const std::string& path) {
    const std::lock_guard lock(mutex_);
    closed_.erase(path);
    changed_.notify_all();
  }
  /// The next `times` calls for `path` call `thrower` instead.
  void fail(const std::string& path, int times, std::function<void()> thrower) {
    const std::lock_guard lock(mutex_);
    failures_[path] = {times, std::move(thrower)};
  }
  void set_points(const std::string& path, std::size_t points) {
    const std::lock_guard lock(mutex_);
    sizes_[path] = points;
  }

  void wait_for_calls(const std::string& path, int calls) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return calls_[path] >= calls; });
  }
  int calls(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return calls_[path];
  }
  /// The paths in the order in which their loads began.
  std::vector<std::string> order() {
    const std::lock_guard lock(mutex_);
    return order_;
  }
  int most_at_once() {
    const std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  struct Failure {
    int times = 0;
    std::function<void()> thrower;
  };

  Tile load(const TileRequest& request, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    ++calls_[request.path];
    order_.push_back(request.path);
    most_ = std::max(most_, ++at_once_);
    changed_.notify_all();
    changed_.wait(lock, stop, [&] { return !closed_.contains(request.path); });
    --at_once_;
    if (stop.stop_requested()) throw Cancelled("stopped");
    if (Failure& failure = failures_[request.path]; failure.times > 0) {
      --failure.times;
      const auto thrower = failure.thrower;
      lock.unlock();
      thrower();
    }
    const auto size = sizes_.find(request.path);
    return make_tile(request, size == sizes_.end() ? points_ : size->second);
  }

  const std::size_t points_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::set<std::string> closed_;
  std::map<std::string, Failure> failures_;
  std::map<std::string, std::size_t> sizes_;
  std::map<std::string, int> calls_;
  std::vector<std::string> order_;
  int at_once_ = 0;
  int most_ = 0;
};

/// Waits for what will come about by itself. A test that waits in vain fails here instead of hanging.
inline bool eventually(const std::function<bool()>& happened) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!happened()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

/// True once `requests` calls of get_tile were counted: each then has its tile or waits for it, as both happen under one lock.
inline bool callers_are_in(const AsyncTileLoader& loader, std::uint64_t requests) {
  return eventually([&] { return loader.get_stats().requests >= requests; });
}

inline LoaderOptions options_with(int workers, std::size_t cache_size = 3, std::size_t budget = std::size_t{1} << 30) {
  LoaderOptions options;
  options.num_workers = workers;
  options.cache_size = cache_size;
  options.memory_budget = budget;
  options.retry_delay = std::chrono::milliseconds(1);
  return options;
}

inline void expect_consistent(const LoaderStatistics& stats) {
  EXPECT_EQ(stats.hits_ready + stats.hits_in_flight + stats.misses, stats.requests);
  EXPECT_LE(stats.bytes_cached, stats.bytes_held);
}

}  // namespace tuile::prefetch::test
