#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tuile/core/bounds.hpp"
#include "tuile/prefetch/async_tile_loader.hpp"

namespace tuile::prefetch {

/// What decoded tiles leave for loads that come later: border strips, and whole tiles whose own turn is still to come. Bounded in bytes:
/// what is largest and wanted last leaves first. Not thread-safe.
class StripStore {
 public:
  explicit StripStore(std::size_t budget) : budget_(budget) {}

  /// A load will come; those expected first come first.
  void expect(const TileRequest& request);
  /// It will not come, or has come: drops what was kept for it.
  void forget(const TileRequest& request);
  bool expects(const TileRequest& request) const;
  /// Whether the whole tile will be loaded as one of the next `turns`.
  bool comes_soon(const std::string& path, std::size_t turns) const;

  /// The parts that later loads will ask of `path` and that are not in store yet. early: before the tile's own turn only, as its own decode
  /// will leave the others.
  std::vector<Bounds> wanted(const std::string& path, bool early) const;
  void put(const TileRequest& request, Tile tile);
  /// The turn of this load has come: what was kept for it, which leaves the store and is expected no more; nothing where it is not there.
  std::optional<Tile> take(const TileRequest& request);
  std::size_t bytes() const noexcept { return bytes_; }
  /// Whether so many bytes more find room without another leaving.
  bool has_room(std::size_t bytes) const noexcept { return bytes <= budget_ && bytes_ <= budget_ - bytes; }

 private:
  struct Expected {
    std::optional<Bounds> bbox;  ///< none: the whole
    std::uint64_t turn = 0;
  };
  struct Kept {
    TileRequest request;
    std::uint64_t turn;
    std::size_t bytes;
    Tile tile;
  };
  using KeptList = std::list<Kept>;

  const Expected* find_expected(const TileRequest& request) const;
  void erase_expected(const TileRequest& request);
  KeptList::iterator find_kept(const TileRequest& request);
  void drop(KeptList::iterator kept);
  /// What keeping it costs: bytes, for so many loads.
  double cost(const Kept& kept) const noexcept;

  const std::size_t budget_;
  std::size_t bytes_ = 0;
  std::uint64_t next_turn_ = 0;
  std::uint64_t now_ = 0;  ///< turn of the latest load
  std::unordered_map<std::string, std::vector<Expected>> expected_;
  std::vector<std::uint64_t> whole_turns_;  ///< of whole tiles, in order, those over as well
  KeptList kept_;
};

}  // namespace tuile::prefetch
