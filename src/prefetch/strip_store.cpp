#include "prefetch/strip_store.hpp"

#include <algorithm>

namespace tuile::prefetch {

std::list<StripStore::Strip>::iterator StripStore::find(const std::string& path, const Bounds& bbox) {
  const auto [first, last] = by_path_.equal_range(path);
  for (auto entry = first; entry != last; ++entry) {
    if (entry->second->bbox == bbox) return entry->second;
  }
  return strips_.end();
}

void StripStore::drop(std::list<Strip>::iterator strip) {
  const auto [first, last] = by_path_.equal_range(strip->path);
  by_path_.erase(std::find_if(first, last, [&](const auto& entry) { return entry.second == strip; }));
  bytes_ -= strip->points.bytes();
  strips_.erase(strip);
}

void StripStore::forget(const std::string& path, const Bounds& bbox) {
  if (const auto entry = expected_.find(path); entry != expected_.end()) {
    std::erase(entry->second, bbox);
    if (entry->second.empty()) expected_.erase(entry);
  }
  if (const auto strip = find(path, bbox); strip != strips_.end()) drop(strip);
}

std::vector<Bounds> StripStore::wanted(const std::string& path) const {
  std::vector<Bounds> boxes;
  const auto entry = expected_.find(path);
  if (entry == expected_.end()) return boxes;
  const auto [first, last] = by_path_.equal_range(path);
  for (const Bounds& box : entry->second) {
    if (std::none_of(first, last, [&](const auto& stored) { return stored.second->bbox == box; })) boxes.push_back(box);
  }
  return boxes;
}

void StripStore::put(const std::string& path, const Bounds& bbox, PointBlock strip) {
  if (find(path, bbox) != strips_.end()) return;
  bytes_ += strip.bytes();
  strips_.push_back({path, bbox, std::move(strip)});
  by_path_.emplace(path, std::prev(strips_.end()));
  while (bytes_ > budget_ && strips_.size() > 1) drop(strips_.begin());
}

std::optional<PointBlock> StripStore::take(const std::string& path, const Bounds& bbox) {
  const auto strip = find(path, bbox);
  if (strip == strips_.end()) return std::nullopt;
  PointBlock points = std::move(strip->points);
  bytes_ -= points.bytes();
  strip->points = PointBlock{};
  drop(strip);
  if (const auto entry = expected_.find(path); entry != expected_.end()) std::erase(entry->second, bbox);
  return points;
}

}  // namespace tuile::prefetch
