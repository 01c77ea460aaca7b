#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "tuile/core/bounds.hpp"
#include "tuile/core/point_block.hpp"

namespace tuile::prefetch {

/// Border strips of decoded tiles, waiting for the halos that will ask for them. Bounded in bytes: the oldest leave first. Not thread-safe.
class StripStore {
 public:
  explicit StripStore(std::size_t budget) : budget_(budget) {}

  void expect(const std::string& path, const Bounds& bbox) { expected_[path].push_back(bbox); }
  void forget(const std::string& path, const Bounds& bbox);
  /// The boxes that later halos will ask of `path` and that are not in store yet.
  std::vector<Bounds> wanted(const std::string& path) const;
  void put(const std::string& path, const Bounds& bbox, PointBlock strip);
  /// The strip, which leaves the store; nothing where it is not there.
  std::optional<PointBlock> take(const std::string& path, const Bounds& bbox);
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct Strip {
    std::string path;
    Bounds bbox;
    PointBlock points;
  };
  std::list<Strip>::iterator find(const std::string& path, const Bounds& bbox);
  void drop(std::list<Strip>::iterator strip);

  const std::size_t budget_;
  std::size_t bytes_ = 0;
  std::unordered_map<std::string, std::vector<Bounds>> expected_;
  std::list<Strip> strips_;  ///< oldest first
  std::unordered_multimap<std::string, std::list<Strip>::iterator> by_path_;
};

}  // namespace tuile::prefetch
