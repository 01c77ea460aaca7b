#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/core/bounds.hpp"
#include "tuile/core/point_block.hpp"

namespace tuile::prefetch {

/// What to load: a tile, or the part of it inside `bbox` (closed, metres). Two requests are the same load iff they are equal.
struct TileRequest {
  std::string path;
  std::optional<Bounds> bbox;
  bool operator==(const TileRequest&) const = default;
};

/// A loaded tile. Immutable once published; shared between the cache and its users.
struct Tile {
  PointBlock points;
  std::vector<std::string> warnings;
  /// Memory that the cache accounts for it.
  std::size_t bytes() const noexcept { return sizeof(Tile) + points.bytes(); }
};
using TileHandle = std::shared_ptr<const Tile>;

/// Does the waiting and the decoding of one load, on an I/O thread of the loader. Must be thread-safe, and throw Cancelled soon after a stop request.
using LoadFunction = std::function<Tile(const TileRequest& request, std::stop_token stop)>;

struct LoaderOptions {
  int num_workers = 2;          ///< I/O threads; 0: no prefetching, loads run in get_tile (the sequential baseline)
  std::size_t cache_size = 3;   ///< finished tiles kept, least recently used leave first; at least 1
  std::size_t memory_budget = std::size_t{1} << 30;  ///< bytes of tiles cached, in use and being loaded, above which preloads wait (get_tile never does)
  int retries = 2;              ///< further attempts after an error that can pass
  std::chrono::milliseconds retry_delay{200};  ///< before the first retry; doubles each time, with up to 50 % jitter
};

/// Exact counts since construction (a consistent snapshot).
struct LoaderStatistics {
  std::uint64_t tiles_loaded = 0;      ///< loads that finished well
  std::uint64_t loads_failed = 0;      ///< loads that ended in an error, after their retries
  std::uint64_t requests = 0;          ///< get_tile calls (and TileFuture::get)
  std::uint64_t hits_ready = 0;        ///< of these: the tile was in the cache
  std::uint64_t hits_in_flight = 0;    ///<   its load was queued or running
  std::uint64_t misses = 0;            ///<   the request started the load
  std::uint64_t retries = 0;
  std::uint64_t evictions = 0;
  std::size_t bytes_cached = 0;        ///< now
  std::size_t tiles_cached = 0;        ///< now
  double io_seconds = 0;               ///< sum over loads of the time in the load function (retries and their delays included)
  double wait_seconds = 0;             ///< sum over requests of the time the caller was held
  double cache_hit_rate() const noexcept { return requests == 0 ? 0.0 : static_cast<double>(hits_ready + hits_in_flight) / static_cast<double>(requests); }
  double avg_io_time_ms() const noexcept { return tiles_loaded + loads_failed == 0 ? 0.0 : 1e3 * io_seconds / static_cast<double>(tiles_loaded + loads_failed); }
  double avg_wait_time_ms() const noexcept { return requests == 0 ? 0.0 : 1e3 * wait_seconds / static_cast<double>(requests); }
  /// Share of the I/O time that no caller waited for, 0 to 1.
  double io_hidden_ratio() const noexcept { return io_seconds <= 0 ? 1.0 : (wait_seconds >= io_seconds ? 0.0 : 1.0 - wait_seconds / io_seconds); }
};

class AsyncTileLoader;

/// A load that was asked for. Copyable; valid as long as its loader.
class TileFuture {
 public:
  /// True once the load finished (well or not).
  bool ready() const;
  /// As AsyncTileLoader::get_tile on the same request: waiting on a future admits its load, so it cannot wait for ever on the budget.
  TileHandle get(std::optional<std::chrono::duration<double>> timeout = std::nullopt) const;

 private:
  friend class AsyncTileLoader;
  TileFuture(AsyncTileLoader* loader, TileRequest request) : loader_(loader), request_(std::move(request)) {}
  AsyncTileLoader* loader_;
  TileRequest request_;
};

/// Loads tiles in the background, ahead of their use, and keeps the most recent ones.
///
/// - preload_tile returns at once; one load per request however often it is asked for.
/// - get_tile returns a ready tile at once, waits for one in flight, or starts the load and waits.
/// - A finished load is in the cache at once. Eviction is true LRU by count and by bytes; a handle keeps its tile alive.
/// - A load that fails with an error that can pass is retried; then its error is kept for that request, thrown by get_tile, and forgotten by the
///   next preload_tile or after it was thrown, which loads anew.
/// - Preloads wait for room in the byte budget (cached tiles without users make room); get_tile never does, and promotes a waiting preload.
///
/// Thread-safe. The destructor cancels, drains and joins.
class AsyncTileLoader {
 public:
  /// Throws InvalidArgument for options out of range. Starts num_workers threads.
  AsyncTileLoader(LoaderOptions options, LoadFunction load);
  ~AsyncTileLoader();
  AsyncTileLoader(const AsyncTileLoader&) = delete;
  AsyncTileLoader& operator=(const AsyncTileLoader&) = delete;

  /// Starts loading; returns within 1 ms whatever is going on. Throws Cancelled after shutdown().
  TileFuture preload_tile(const std::string& path, std::optional<Bounds> bbox = std::nullopt);
  std::vector<TileFuture> preload_tile_batch(std::span<const std::string> paths);

  /// The tile, waiting for it if need be. Never deadlocks, from any number of threads.
  /// Throws TimeoutError after `timeout` (the load goes on and can be got later), Cancelled after shutdown(), else the load's own error.
  TileHandle get_tile(const std::string& path, std::optional<std::chrono::duration<double>> timeout = std::nullopt,
                      std::optional<Bounds> bbox = std::nullopt);

  /// Forgets finished tiles and stored errors; loads in flight go on, handles stay valid.
  void clear_cache();

  LoaderStatistics get_stats() const;
  /// The statistics in the seed's form, one item a line.
  std::string stats_text() const;

  /// Cancels queued and running loads, wakes every waiter with Cancelled, joins the threads. Idempotent, thread-safe.
  void shutdown();

 private:
  friend class TileFuture;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tuile::prefetch
