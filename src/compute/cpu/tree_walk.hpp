#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "compute/blocks.hpp"
#include "compute/cpu/point_tree.hpp"
#include "compute/search_reach.hpp"
#include "tuile/core/executor.hpp"

namespace tuile::compute::cpu {

/// What is done with the trees of a walk.
class TreeVisitor {
 public:
  virtual ~TreeVisitor() = default;
  /// Calls work, which builds the first tree and searches it (or does nothing, where there is no point): the place for what can run
  /// beside it.
  virtual void begin(const std::function<void()>& work) { work(); }
  /// Answers the points of a tree that have a row. given: what the tree holds the points of, where there are more outside. Returns those
  /// whose answers depend on points outside. Called from several threads, but for one point never at once.
  virtual std::vector<std::uint32_t> search(const PointTree& tree, const Area& given) = 0;
  /// After search and after begin.
  virtual void finish(const PointTree&) {}
};

/// Bytes per point, of core and halo, that a search holds beside input and output.
inline constexpr std::uint64_t search_bytes_per_point = 72;
/// Bytes per point that filters hold while they search block by block.
inline constexpr std::uint64_t filter_bytes_per_point = 8;

struct WalkWish {
  std::uint32_t rows = 0;  ///< points with a smaller index have a row
  SearchReach reach;
  std::size_t most = 0;  ///< points that a tree should hold at most; 0: no limit
};

/// The most points that a tree should hold of `points`: 0, all of them, where `memory` bytes hold what searching them takes beside the
/// `beside` bytes that are needed at the same time; else what is left for blocks, for which `held` bytes more are kept. memory 0: no limit.
std::size_t points_at_once(std::size_t points, std::uint64_t memory, std::uint64_t beside, std::uint64_t held = 0);

/// Searches a tile's valid points in one tree, or block by block: the points left over then have balls of their own.
/// Throws Cancelled, OutOfMemory.
void walk_trees(const TilePoints& points, const WalkWish& wish, TreeVisitor& visitor, Executor& executor, const std::stop_token& stop);

}  // namespace tuile::compute::cpu
