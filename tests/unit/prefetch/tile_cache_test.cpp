// The cache alone, against a model that keeps everything in one list and computes every sum anew.
#include "prefetch/tile_cache.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <random>

#include "fake_store.hpp"

namespace tuile::prefetch::test {
namespace {

struct ModelTile {
  std::string path;
  std::size_t bytes = 0;
  std::size_t users = 0;
  bool unread = false;
};

/// The rules of TileCache, written down once more without any bookkeeping.
struct Model {
  std::size_t count_limit;
  std::size_t budget;
  bool keep;
  std::deque<ModelTile> cached;  // most recently used first
  std::vector<ModelTile> away;   // out of the cache, in use
  std::size_t reserved = 0;
  std::uint64_t evictions = 0;

  bool is_protected(const ModelTile& tile) const { return keep && tile.unread; }
  bool is_evictable(const ModelTile& tile) const { return tile.users == 0 && !is_protected(tile); }
  std::size_t held() const {
    std::size_t sum = 0;
    for (const auto& tile : cached) sum += tile.bytes;
    for (const auto& tile : away) sum += tile.bytes;
    return sum;
  }
  void evict(std::size_t i) {
    if (cached[i].users > 0) away.push_back(cached[i]);
    cached.erase(cached.begin() + static_cast<std::ptrdiff_t>(i));
    ++evictions;
  }
  void keep_budget(std::size_t spared) {
    for (std::size_t i = cached.size(); i-- > spared;) {
      if (held() + reserved > budget && is_evictable(cached[i])) evict(i);
    }
  }
  void insert(ModelTile tile) {
    cached.push_front(std::move(tile));
    while (cached.size() > count_limit) {
      std::size_t victim = cached.size() - 1;
      for (std::size_t i = cached.size() - 1; i >= 1; --i) {
        if (!is_protected(cached[i])) {
          victim = i;
          break;
        }
      }
      evict(victim);
    }
    keep_budget(1);
  }
  bool admits(std::size_t bytes, std::size_t running) const {
    std::size_t kept = 0, staying = 0;
    for (const auto& tile : cached) {
      kept += is_protected(tile) ? 1 : 0;
      staying += is_evictable(tile) ? 0 : tile.bytes;
    }
    for (const auto& tile : away) staying += tile.bytes;
    if (keep && kept + running >= count_limit) return false;
    return (running == 0 && staying == 0) || staying + reserved + bytes <= budget;
  }
};

TEST(TileCache, DoesWhatTheModelDoes) {
  std::mt19937 random(7);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (int run = 0; run < 600; ++run) {
    LoaderOptions options = options_with(1, 1 + below(6), below(20) * 1000);
    options.keep_preloaded = run % 2 == 0;
    TileCache cache(options);
    Model model{options.cache_size, options.memory_budget, options.keep_preloaded, {}, {}, 0, 0};
    std::vector<std::shared_ptr<ResidentTile>> used;  // one entry per user
    std::deque<std::size_t> reservations;

    for (int step = 0; step < 400; ++step) {
      const std::string path = std::to_string(below(9));
      const auto in_model =
          std::find_if(model.cached.begin(), model.cached.end(), [&](const ModelTile& tile) { return tile.path == path; });
      switch (below(6)) {
        case 0: {  // a load ends
          if (in_model != model.cached.end()) break;
          // Random sizes tell tiles of one path apart below (two of one size and path are alike in all that the model says).
          const auto tile = std::make_shared<ResidentTile>(TileRequest{path, {}}, make_tile({path, {}}, 1 + below(400)));
          const bool unread = below(2) == 0;
          cache.insert(tile, unread);
          model.insert({path, tile->bytes, 0, unread});
          break;
        }
        case 1: {  // get
          const auto tile = cache.use({path, {}}, false);
          ASSERT_EQ(tile != nullptr, in_model != model.cached.end());
          if (!tile) break;
          ModelTile moved = *in_model;
          ASSERT_EQ(moved.bytes, tile->bytes);
          model.cached.erase(in_model);
          moved.unread = false;
          ++moved.users;
          model.cached.push_front(moved);
          cache.add_user(*tile);
          used.push_back(tile);
          break;
        }
        case 2: {  // preload
          const auto tile = cache.use({path, {}}, true);
          ASSERT_EQ(tile != nullptr, in_model != model.cached.end());
          if (!tile) break;
          ModelTile moved = *in_model;
          model.cached.erase(in_model);
          moved.unread = true;
          model.cached.push_front(moved);
          break;
        }
        case 3: {  // a handle goes
          if (used.empty()) break;
          const std::size_t which = below(used.size());
          const auto tile = used[which];
          used.erase(used.begin() + static_cast<std::ptrdiff_t>(which));
          const bool is_cached = tile->cached;
          cache.remove_user(*tile);
          const auto same = [&](const ModelTile& other) { return other.path == tile->request.path && other.bytes == tile->bytes; };
          if (is_cached) {
            --std::find_if(model.cached.begin(), model.cached.end(), same)->users;
          } else {
            const auto gone = std::find_if(model.away.begin(), model.away.end(), same);
            ASSERT_NE(gone, model.away.end());
            if (--gone->users == 0) model.away.erase(gone);
          }
          model.keep_budget(1);
          break;
        }
        case 4: {  // a load starts or ends
          if (reservations.size() < 3) {
            reservations.push_back(below(5000));
            cache.reserve(reservations.back());
            model.reserved += reservations.back();
            model.keep_budget(0);
          } else {
            cache.unreserve(reservations.front());
            model.reserved -= reservations.front();
            reservations.pop_front();
          }
          break;
        }
        default: {
          if (below(20) != 0) break;
          cache.clear();
          for (const auto& tile : model.cached) {
            if (tile.users > 0) model.away.push_back(tile);
          }
          model.cached.clear();
        }
      }
      ASSERT_EQ(cache.count(), model.cached.size());
      ASSERT_EQ(cache.bytes_held(), model.held());
      ASSERT_EQ(cache.evictions(), model.evictions);
      for (const std::size_t running : {std::size_t{0}, std::size_t{2}}) {
        const std::size_t bytes = below(6000);
        ASSERT_EQ(cache.admits(bytes, running), model.admits(bytes, running));
      }
    }
  }
}

TEST(RequestHash, IsEqualForEqualRequests) {
  const RequestHash hash;
  const TileRequest request{"a", Bounds{0.0, 1.0, 2.0, 3.0}};
  const TileRequest equal{"a", Bounds{-0.0, 1.0, 2.0, 3.0}};
  ASSERT_EQ(request, equal);
  EXPECT_EQ(hash(request), hash(equal));
  EXPECT_NE(hash(request), hash({"a", std::nullopt}));
  EXPECT_NE(hash(request), hash({"b", request.bbox}));
  EXPECT_NE(hash(request), hash({"a", Bounds{1.0, 0.0, 2.0, 3.0}}));
}

}  // namespace
}  // namespace tuile::prefetch::test
