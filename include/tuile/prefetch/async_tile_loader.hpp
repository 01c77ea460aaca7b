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
#include "tuile/core/ground_truth.hpp"
#include "tuile/core/point_block.hpp"

namespace tuile::prefetch {

/// What to load: a tile, or the part of it inside `bbox` (closed, metres; no NaN). Two requests are the same load iff they are equal.
struct TileRequest {
  std::string path;
  std::optional<Bounds> bbox;
  bool operator==(const TileRequest&) const = default;
};

class TruthTicket;

/// What became of the images that a tile's colours were asked of.
struct ColourReport {
  Outcome rgb = Outcome::not_requested, nir = Outcome::not_requested;
  std::string reason;              ///< where one failed
  ErrorKind kind = ErrorKind::io;  ///< likewise: whether another try can help
};

/// A loaded tile. Immutable once published; shared between the cache and its users.
struct Tile {
  PointBlock points;
  std::vector<std::string> warnings;
  std::optional<ColourReport> colours = {};       ///< where colours come from imagery
  std::shared_ptr<const TruthTicket> truth = {};  ///< its ground truth, under way or there; null where none was asked for
  /// Memory that the cache accounts for it.
  std::size_t bytes() const noexcept { return sizeof(Tile) + points.bytes(); }
};
using TileHandle = std::shared_ptr<const Tile>;

/// Does the waiting and the decoding of one load, on an I/O thread of the loader (num_workers = 0: on a caller's). Must be thread-safe, and
/// throw Cancelled soon after a stop request. It may preload, but must not get_tile from its own loader (it would wait for the thread it
/// runs on) nor shut it down.
using LoadFunction = std::function<Tile(const TileRequest& request, std::stop_token stop)>;

struct LoaderOptions {
  int num_workers = 2;         ///< I/O threads, at most 1024; 0: no prefetching, loads run in get_tile (the sequential baseline)
  std::size_t cache_size = 3;  ///< finished tiles kept, least recently used leave first; at least 1
  std::size_t memory_budget =
      std::size_t{1} << 30;  ///< bytes of tiles cached, in use and being loaded, above which preloads wait (get_tile never does)
  int retries = 2;           ///< further attempts after an error that can pass
  std::chrono::milliseconds retry_delay{200};  ///< before the first retry; doubles each time (to one hour at most), with up to 50 % jitter
  std::size_t expected_bytes = 0;  ///< of a tile, as long as none is loaded: what a preload is counted with; later it is the mean
  /// A preload also waits for room while only tiles that were preloaded and not got yet could make it, instead of evicting them unread. For
  /// consumers that get every tile they preload, once: nothing is loaded twice however far ahead they ask. Off: true LRU.
  bool keep_preloaded = false;
};

/// Exact counts since construction (a consistent snapshot).
struct LoaderStatistics {
  std::uint64_t tiles_loaded = 0;    ///< loads that finished well
  std::uint64_t loads_failed = 0;    ///< loads that ended in an error, after their retries
  std::uint64_t requests = 0;        ///< get_tile calls (and TileFuture::get), but those refused for their arguments or after shutdown
  std::uint64_t hits_ready = 0;      ///< of these: the tile was in the cache, or the error of its finished load was kept
  std::uint64_t hits_in_flight = 0;  ///<   its load was queued or running
  std::uint64_t misses = 0;  ///<   the request started the load (num_workers = 0: a preload starts nothing, so also the first get after it)
  std::uint64_t retries = 0;     ///< calls of the load function = tiles_loaded + loads_failed + retries + loads running
  std::uint64_t evictions = 0;   ///< tiles that left the cache for want of room (not by clear_cache)
  std::size_t bytes_cached = 0;  ///< now
  std::size_t tiles_cached = 0;  ///< now
  std::size_t bytes_held = 0;    ///< now: cached, or out of the cache and still held by a user
  double oldest_load = 0;        ///< now: seconds since the oldest of the running loads began
  double io_seconds = 0;         ///< sum over loads of the time in the load function (retries and their delays included)
  double wait_seconds = 0;       ///< sum over requests of the time the caller was held
  double cache_hit_rate() const noexcept {
    return requests == 0 ? 0.0 : static_cast<double>(hits_ready + hits_in_flight) / static_cast<double>(requests);
  }
  double avg_io_time_ms() const noexcept {
    return tiles_loaded + loads_failed == 0 ? 0.0 : 1e3 * io_seconds / static_cast<double>(tiles_loaded + loads_failed);
  }
  double avg_wait_time_ms() const noexcept { return requests == 0 ? 0.0 : 1e3 * wait_seconds / static_cast<double>(requests); }
  /// Share of the I/O time that no caller waited for, 0 to 1.
  double io_hidden_ratio() const noexcept {
    return io_seconds <= 0 ? 1.0 : (wait_seconds >= io_seconds ? 0.0 : 1.0 - wait_seconds / io_seconds);
  }
  /// The statistics as a block of text, one item a line; failures only where there are any.
  std::string text() const;
};

class AsyncTileLoader;

/// A load that was asked for. Copyable; valid as long as its loader.
class TileFuture {
 public:
  /// True once the load finished (well or not). With num_workers = 0: once somebody got it.
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
/// - A load that fails with an error that can pass is retried; then its error is kept for that request, thrown by get_tile, and forgotten
/// by the
///   next preload_tile or after it was thrown, which loads anew.
/// - Preloads wait for room in the byte budget (cached tiles without users make room); get_tile never does, and promotes a waiting preload.
///   A load is counted with the mean size of the tiles loaded so far. A preload is admitted whatever its size when no load runs and no tile
///   is in use.
/// - I/O threads serve callers that wait first, in their order, then preloads in theirs.
///
/// Thread-safe. The destructor cancels, drains and joins; handles may outlive the loader.
class AsyncTileLoader {
 public:
  /// Throws InvalidArgument for options out of range. Starts num_workers threads.
  AsyncTileLoader(LoaderOptions options, LoadFunction load);
  ~AsyncTileLoader();
  AsyncTileLoader(const AsyncTileLoader&) = delete;
  AsyncTileLoader& operator=(const AsyncTileLoader&) = delete;

  /// Starts loading; returns within 1 ms whatever is going on. A cached tile becomes the most recently used.
  /// With num_workers = 0 it only records the request: somebody's get runs it.
  /// Throws InvalidArgument (NaN in bbox), Cancelled after shutdown().
  TileFuture preload_tile(const std::string& path, std::optional<Bounds> bbox = std::nullopt);
  std::vector<TileFuture> preload_tile_batch(std::span<const std::string> paths);

  /// As TileFuture::ready of this request.
  bool ready(const std::string& path, std::optional<Bounds> bbox = std::nullopt) const;

  /// The tile, waiting for it if need be. Never deadlocks, from any number of threads.
  /// timeout: seconds; 0 polls, nothing or infinity waits as long as it takes. It bounds waiting only: with num_workers = 0 the call that
  /// runs the load returns its outcome however long it took. Throws TimeoutError after `timeout` (the load goes on and can be got later),
  /// InvalidArgument (timeout negative or NaN, NaN in bbox), Cancelled after shutdown() or soon after `stop` was requested (a load that a
  /// thread of the loader runs goes on), else the load's own error: the very exception that
  /// the load function threw (std::bad_alloc as OutOfMemory).
  TileHandle get_tile(const std::string& path, std::optional<std::chrono::duration<double>> timeout = std::nullopt,
                      std::optional<Bounds> bbox = std::nullopt, std::stop_token stop = {});

  /// The caller needs the tile no more: its memory need not wait for an eviction. Forgets a finished tile or its error, and takes back a
  /// preload that nobody waits for; a load that runs goes on and its tile is not kept. Handles stay valid. What is unknown is ignored.
  void release(const std::string& path, std::optional<Bounds> bbox = std::nullopt);

  /// Changes how many loads run at once, 1 to 1024: more threads start, too many rest once their loads are done. A loader without threads
  /// (num_workers = 0) keeps to that. Throws InvalidArgument, OutOfMemory (no more threads to be had: it goes on with those there are).
  void set_workers(int workers);

  /// Forgets finished tiles and stored errors; loads in flight go on, handles stay valid.
  void clear_cache();

  LoaderStatistics get_stats() const;
  /// get_stats().text().
  std::string stats_text() const;

  /// Cancels queued and running loads, wakes every waiter with Cancelled, joins the threads, empties the cache. Idempotent, thread-safe;
  /// returns when all is done. Not to be called by the load function.
  void shutdown();

 private:
  friend class TileFuture;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tuile::prefetch
