#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "prefetch/tile_cache.hpp"

namespace tuile::prefetch {

/// What a user's handle owns: one use of a tile. When the last copy of the handle goes, the tile stops being in use,
/// its bytes can be given to others, and the I/O threads look again whether a waiting preload has room.
/// Never destroy one while holding the cache's mutex.
class TileLease {
 public:
  /// The caller holds the mutex of `shared`.
  TileLease(std::shared_ptr<SharedCache> shared, std::shared_ptr<ResidentTile> tile) noexcept
      : shared_(std::move(shared)), tile_(std::move(tile)) {
    shared_->cache.add_user(*tile_);
  }
  ~TileLease() {
    TileCache::Tiles leaving;
    {
      const std::lock_guard lock(shared_->mutex);
      leaving = shared_->cache.remove_user(*tile_);
      shared_->work.notify_all();
    }
  }
  TileLease(const TileLease&) = delete;
  TileLease& operator=(const TileLease&) = delete;

 private:
  std::shared_ptr<SharedCache> shared_;
  std::shared_ptr<ResidentTile> tile_;
};

/// A handle for a user. The caller holds the mutex of `shared`.
inline TileHandle lease(const std::shared_ptr<SharedCache>& shared, const std::shared_ptr<ResidentTile>& tile) {
  return TileHandle(std::make_shared<TileLease>(shared, tile), &tile->tile);
}

}  // namespace tuile::prefetch
