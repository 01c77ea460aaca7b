#include "prefetch/tile_cache.hpp"

#include <functional>
#include <iterator>
#include <string>

namespace tuile::prefetch {

std::size_t RequestHash::operator()(const TileRequest& request) const noexcept {
  std::size_t seed = std::hash<std::string>{}(request.path);
  const auto mix = [&seed](std::size_t value) { seed ^= value + 0x9e3779b97f4a7c15U + (seed << 6) + (seed >> 2); };
  if (request.bbox) {
    for (const double side : {request.bbox->min_x, request.bbox->min_y, request.bbox->max_x, request.bbox->max_y}) {
      mix(std::hash<double>{}(side));  // of -0.0 as of 0.0, as the standard asks for equal values
    }
  }
  return seed;
}

/// Applies `change` to the tile's flags and keeps the sums that follow from them.
template <class Change>
void TileCache::update(ResidentTile& tile, Change change) noexcept {
  const auto count = [&](auto apply) {
    if (tile.cached || tile.users > 0) apply(held_, tile.bytes);
    if (tile.cached) apply(cached_, tile.bytes);
    if (is_evictable(tile)) apply(evictable_, tile.bytes);
    if (tile.cached && is_protected(tile)) apply(protected_, std::size_t{1});
  };
  count([](std::size_t& sum, std::size_t amount) { sum -= amount; });
  change();
  count([](std::size_t& sum, std::size_t amount) { sum += amount; });
}

std::shared_ptr<ResidentTile> TileCache::use(const TileRequest& request, bool unread) {
  const auto found = index_.find(request);
  if (found == index_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second);
  ResidentTile& tile = **found->second;
  update(tile, [&] { tile.unread = unread; });
  return *found->second;
}

TileCache::Tiles TileCache::insert(const std::shared_ptr<ResidentTile>& tile, bool unread) {
  Tiles node{tile};
  index_.emplace(tile->request, node.begin());
  order_.splice(order_.begin(), node);
  update(*tile, [&] {
    tile->cached = true;
    tile->unread = unread;
  });
  Tiles leaving;
  evict_by_count(leaving);
  evict_by_bytes(1, leaving);
  return leaving;
}

TileCache::Tiles TileCache::remove(const TileRequest& request) noexcept {
  Tiles leaving;
  const auto found = index_.find(request);
  if (found == index_.end()) return leaving;
  const auto position = found->second;
  index_.erase(found);
  update(**position, [&] { (*position)->cached = false; });
  leaving.splice(leaving.end(), order_, position);
  return leaving;
}

TileCache::Tiles TileCache::clear() {
  Tiles leaving;
  for (const auto& tile : order_) update(*tile, [&] { tile->cached = false; });
  index_.clear();
  leaving.swap(order_);
  return leaving;
}

void TileCache::add_user(ResidentTile& tile) noexcept {
  update(tile, [&] { ++tile.users; });
}

TileCache::Tiles TileCache::remove_user(ResidentTile& tile) noexcept {
  update(tile, [&] { --tile.users; });
  Tiles leaving;
  evict_by_bytes(1, leaving);
  return leaving;
}

bool TileCache::admits(std::size_t bytes, std::size_t running) const noexcept {
  if (keep_preloaded_ && protected_ + running >= count_limit_) return false;
  const std::size_t staying = held_ - evictable_;
  if (running == 0 && staying == 0) return true;
  return staying + reserved_ + bytes <= budget_;
}

TileCache::Tiles TileCache::reserve(std::size_t bytes) noexcept {
  reserved_ += bytes;
  Tiles leaving;
  evict_by_bytes(0, leaving);
  return leaving;
}

void TileCache::evict(Tiles::iterator position, Tiles& leaving) noexcept {
  ResidentTile& tile = **position;
  index_.erase(tile.request);
  update(tile, [&] { tile.cached = false; });
  leaving.splice(leaving.end(), order_, position);
  ++evictions_;
}

void TileCache::evict_by_count(Tiles& leaving) noexcept {
  while (order_.size() > count_limit_) {
    auto victim = std::prev(order_.end());
    // The newest stays, so the search ends before it; where all the others are protected, the least recently used goes.
    while (victim != std::next(order_.begin()) && is_protected(**victim)) --victim;
    if (is_protected(**victim)) victim = std::prev(order_.end());
    evict(victim, leaving);
  }
}

void TileCache::evict_by_bytes(std::size_t spared, Tiles& leaving) noexcept {
  std::size_t left = order_.size();
  auto position = order_.end();
  while (held_ + reserved_ > budget_ && evictable_ > 0 && left > spared) {
    const auto candidate = std::prev(position);
    --left;
    if (is_evictable(**candidate)) {
      evict(candidate, leaving);
    } else {
      position = candidate;
    }
  }
}

}  // namespace tuile::prefetch
