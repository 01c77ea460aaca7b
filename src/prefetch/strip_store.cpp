#include "prefetch/strip_store.hpp"

#include <algorithm>
#include <utility>

namespace tuile::prefetch {

const StripStore::Expected* StripStore::find_expected(const TileRequest& request) const {
  const auto entry = expected_.find(request.path);
  if (entry == expected_.end()) return nullptr;
  const auto found =
      std::find_if(entry->second.begin(), entry->second.end(), [&](const Expected& expected) { return expected.bbox == request.bbox; });
  return found == entry->second.end() ? nullptr : &*found;
}

void StripStore::erase_expected(const TileRequest& request) {
  const auto entry = expected_.find(request.path);
  if (entry == expected_.end()) return;
  std::vector<Expected>& all = entry->second;
  const auto found = std::find_if(all.begin(), all.end(), [&](const Expected& expected) { return expected.bbox == request.bbox; });
  if (found != all.end()) all.erase(found);
  if (all.empty()) expected_.erase(entry);
}

StripStore::KeptList::iterator StripStore::find_kept(const TileRequest& request) {
  return std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) { return kept.request == request; });
}

void StripStore::drop(KeptList::iterator kept) {
  bytes_ -= kept->bytes;
  kept_.erase(kept);
}

double StripStore::cost(const Kept& kept) const noexcept {
  const std::uint64_t wait = kept.turn > now_ ? kept.turn - now_ : 0;
  return static_cast<double>(kept.bytes) * static_cast<double>(wait + 1);
}

void StripStore::expect(const TileRequest& request) {
  if (!request.bbox) whole_turns_.push_back(next_turn_);
  expected_[request.path].push_back({request.bbox, next_turn_});
  ++next_turn_;
}

void StripStore::forget(const TileRequest& request) {
  erase_expected(request);
  if (const auto kept = find_kept(request); kept != kept_.end()) drop(kept);
}

bool StripStore::expects(const TileRequest& request) const { return find_expected(request) != nullptr; }

bool StripStore::comes_soon(const std::string& path, std::size_t turns) const {
  const Expected* const whole = find_expected({path, std::nullopt});
  if (whole == nullptr) return false;
  const auto next = std::upper_bound(whole_turns_.begin(), whole_turns_.end(), now_);
  const auto own = std::lower_bound(whole_turns_.begin(), whole_turns_.end(), whole->turn);
  return own - next < static_cast<std::ptrdiff_t>(turns);
}

std::vector<Bounds> StripStore::wanted(const std::string& path, bool early) const {
  std::vector<Bounds> boxes;
  const auto entry = expected_.find(path);
  if (entry == expected_.end()) return boxes;
  const Expected* const own = early ? find_expected({path, std::nullopt}) : nullptr;
  for (const Expected& expected : entry->second) {
    if (!expected.bbox || (own != nullptr && expected.turn > own->turn)) continue;
    const TileRequest request{path, expected.bbox};
    if (std::none_of(kept_.begin(), kept_.end(), [&](const Kept& kept) { return kept.request == request; }))
      boxes.push_back(*expected.bbox);
  }
  return boxes;
}

void StripStore::put(const TileRequest& request, Tile tile) {
  const Expected* const expected = find_expected(request);
  if (expected == nullptr || find_kept(request) != kept_.end()) return;
  const std::size_t bytes = tile.points.bytes();
  kept_.push_back({request, expected->turn, bytes, std::move(tile)});
  bytes_ += bytes;
  while (bytes_ > budget_) {
    drop(std::max_element(kept_.begin(), kept_.end(), [this](const Kept& a, const Kept& b) { return cost(a) < cost(b); }));
  }
}

std::optional<Tile> StripStore::take(const TileRequest& request) {
  if (const Expected* const expected = find_expected(request)) now_ = std::max(now_, expected->turn);
  const auto kept = find_kept(request);
  if (kept == kept_.end()) return std::nullopt;
  Tile tile = std::move(kept->tile);
  drop(kept);
  erase_expected(request);
  return tile;
}

}  // namespace tuile::prefetch
