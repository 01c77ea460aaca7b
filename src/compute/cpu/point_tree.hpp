#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "compute/cpu/tree_view.hpp"
#include "tuile/core/buffer.hpp"
#include "tuile/core/executor.hpp"

namespace tuile::compute::cpu {

/// A k-d tree of buckets of 16 points, each bucket a struct of arrays that vector units read whole.
///
/// Built top-down: large ranges are parted at a sampled median, out of place and without branches; ranges of at most `range_size` points
/// are then parted exactly at multiples of 16, so that all buckets but the last of a range are full. Nodes lie in pre-order: the left child
/// follows its parent, and a subtree of c buckets is the 2c − 1 nodes from its root on, so a walk needs no stack.
class PointTree {
 public:
  /// records  the points, any order; duplicates are welcome. Throws OutOfMemory, Cancelled.
  PointTree(Buffer<Record> records, Executor& executor, const std::stop_token& stop);

  TreeView view() const noexcept;
  /// Roots of the largest subtrees of at most `group_buckets` buckets, in the tree's order: neighbours in the list are neighbours in space.
  std::span<const std::uint32_t> groups() const noexcept { return groups_; }
  std::size_t points() const noexcept { return points_; }
  /// Points and the unused places of buckets.
  std::size_t slots() const noexcept { return records_.size(); }

 private:
  struct Range;
  std::vector<Range> part(Buffer<Record>& records, Buffer<Record>& spare, Executor& executor, const std::stop_token& stop);
  void place(std::vector<Range>& ranges);
  void fill(const Range& range, const Record* records);

  std::size_t points_ = 0;
  std::array<std::int32_t, 3> centre_{};  ///< subtracted before coordinates become floats
  bool exact_ = true;
  Buffer<Record> records_;
  Buffer<float> x_, y_, z_;
  Buffer<TreeNode> nodes_;
  Buffer<std::uint32_t> points_before_;  ///< TreeView::points_before
  std::vector<std::uint32_t> groups_;
};

}  // namespace tuile::compute::cpu
