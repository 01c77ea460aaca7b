#pragma once

#include <memory>
#include <utility>

#include "prefetch/tile_cache.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::prefetch {

/// What a user's handle owns: one use of a tile. When the last copy of the handle goes, the tile stops being in use,
/// its bytes can be given to others, and the I/O threads look again whether a waiting preload has room.
/// Never destroy one while holding the cache's mutex.
class TileLease {
 public:
  TileLease(std::shared_ptr<SharedCache> shared, std::shared_ptr<ResidentTile> tile) noexcept REQUIRES(shared->mutex)
      : shared_(std::move(shared)), tile_(std::move(tile)) {
    shared_->cache.add_user(*tile_);
  }
  ~TileLease() {
    TileCache::Tiles leaving;
    {
      const MutexLock lock(shared_->mutex);
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

/// A handle for a user.
inline TileHandle lease(const std::shared_ptr<SharedCache>& shared, const std::shared_ptr<ResidentTile>& tile) REQUIRES(shared->mutex) {
  return TileHandle(std::make_shared<TileLease>(shared, tile), &tile->tile);
}

}  // namespace tuile::prefetch
