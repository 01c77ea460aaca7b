#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <utility>

#include "tuile/core/mutex.hpp"
#include "tuile/prefetch/async_tile_loader.hpp"

namespace tuile::prefetch {

struct RequestHash {
  std::size_t operator()(const TileRequest& request) const noexcept;
};

/// A loaded tile and what the budget has to know of it.
struct ResidentTile {
  ResidentTile(TileRequest key, Tile loaded) : request(std::move(key)), tile(std::move(loaded)), bytes(tile.bytes()) {}

  // Constant after construction.
  const TileRequest request;
  const Tile tile;
  const std::size_t bytes;

  // Guarded by SharedCache::mutex; written by TileCache only.
  std::size_t users = 0;  ///< leases (see tile_lease.hpp); a tile with users is not evicted to make room: that would free nothing
  bool cached = false;    ///< findable by its request
  bool unread = false;    ///< preloaded, and nobody has got it since
};

/// Finished tiles, findable by their request and ordered by last use, and the bytes that count against the memory budget:
/// tiles cached or in use, and what the running loads are expected to bring.
/// Not thread-safe: its owner's mutex guards it. Tiles that leave are handed to the caller, who frees them after unlocking
/// (freeing a large tile takes milliseconds, and nobody should wait for the mutex that long). No eviction allocates memory.
class TileCache {
 public:
  using Tiles = std::list<std::shared_ptr<ResidentTile>>;

  explicit TileCache(const LoaderOptions& options)
      : count_limit_(options.cache_size), budget_(options.memory_budget), keep_preloaded_(options.keep_preloaded) {}

  /// The tile of `request`, now the most recently used, or null. `unread`: whether it is announced rather than taken.
  std::shared_ptr<ResidentTile> use(const TileRequest& request, bool unread);
  /// Adds a finished tile as the most recently used. Returns the ones that leave for it: by count, then by bytes.
  Tiles insert(const std::shared_ptr<ResidentTile>& tile, bool unread);
  /// Forgets the tile of `request`, if it is here. Returned as for clear().
  Tiles remove(const TileRequest& request) noexcept;
  /// Forgets every tile; those in use still count against the budget.
  Tiles clear();

  void add_user(ResidentTile& tile) noexcept;
  /// Returns the tiles that leave since the budget can be kept again.
  Tiles remove_user(ResidentTile& tile) noexcept;

  /// Whether a preload of about `bytes` may start beside `running` loads: it fits after evicting what is evictable, or it would be alone.
  bool admits(std::size_t bytes, std::size_t running) const noexcept;
  /// Counts `bytes` of a load that starts, and returns the least recently used tiles that leave for it, as far as any are evictable.
  Tiles reserve(std::size_t bytes) noexcept;
  void unreserve(std::size_t bytes) noexcept { reserved_ -= bytes; }

  std::size_t count() const noexcept { return order_.size(); }
  std::size_t bytes_cached() const noexcept { return cached_; }
  std::size_t bytes_held() const noexcept { return held_; }
  std::uint64_t evictions() const noexcept { return evictions_; }

 private:
  bool is_protected(const ResidentTile& tile) const noexcept { return keep_preloaded_ && tile.unread; }
  bool is_evictable(const ResidentTile& tile) const noexcept { return tile.cached && tile.users == 0 && !is_protected(tile); }
  template <class Change>
  void update(ResidentTile& tile, Change change) noexcept;
  void evict(Tiles::iterator position, Tiles& leaving) noexcept;
  void evict_by_count(Tiles& leaving) noexcept;
  /// Evicts from the least recently used on, until the budget is kept or only the `spared` most recently used are left.
  void evict_by_bytes(std::size_t spared, Tiles& leaving) noexcept;

  // Constant after construction.
  const std::size_t count_limit_;
  const std::size_t budget_;
  const bool keep_preloaded_;

  Tiles order_;  ///< most recently used first
  std::unordered_map<TileRequest, Tiles::iterator, RequestHash> index_;
  std::size_t cached_ = 0;     ///< bytes of order_
  std::size_t held_ = 0;       ///< bytes cached or in use
  std::size_t evictable_ = 0;  ///< bytes of the evictable tiles
  std::size_t reserved_ = 0;   ///< bytes that running loads are expected to bring
  std::size_t protected_ = 0;  ///< cached tiles that are protected
  std::uint64_t evictions_ = 0;
};

/// What handles share with the loader, and may outlive it with.
struct SharedCache {
  explicit SharedCache(const LoaderOptions& options) : cache(options) {}

  Mutex mutex;  ///< the loader's only lock for its state
  TileCache cache GUARDED_BY(mutex);
  Condition work;  ///< I/O threads wait here: for something to load, room for it, or the end
};

}  // namespace tuile::prefetch
