#pragma once

#include <cstdint>

namespace tuile::compute::cpu {

/// Points of a bucket: one 512-bit vector of floats, two of 256 bits.
inline constexpr std::uint32_t bucket_size = 16;
/// Buckets of a group, whose points share one walk over the tree.
inline constexpr std::uint32_t group_buckets = 4;
inline constexpr std::uint32_t group_size = group_buckets * bucket_size;
/// Squared distances below it are exact in float32.
inline constexpr float exact_limit = 16777216.0F;

/// A point on the grid and where it came from: positions in the tile's core, then those in its halo.
struct Record {
  std::int32_t x, y, z;
  std::uint32_t index;
};
/// Marks the unused slots at the end of a bucket.
inline constexpr std::uint32_t no_point = 0xffffffffU;

/// A box around the points of `count` buckets from bucket `first` on.
struct TreeNode {
  float low[3];
  float high[3];
  std::uint32_t first;
  std::uint32_t count;
};

/// What the kernels see of a PointTree: plain pointers.
struct TreeView {
  const float *x, *y, *z;  ///< units relative to the tree's centre; unused slots lie infinitely far away
  const Record* records;   ///< the same slots, in the block's units
  const TreeNode* nodes;
  const std::uint32_t* points_before;  ///< per bucket, and once more at the end: points in the buckets before it
  std::uint32_t node_count;
  std::int32_t centre[3];
  bool exact;  ///< every coordinate is exact in float32

  std::uint32_t points_of(const TreeNode& node) const noexcept {
    return points_before[node.first + node.count] - points_before[node.first];
  }
  /// Whether all points of a node are copies of one. Rounded coordinates cannot tell.
  bool all_copies(const TreeNode& node) const noexcept {
    return exact && node.low[0] == node.high[0] && node.low[1] == node.high[1] && node.low[2] == node.high[2];
  }
};

}  // namespace tuile::compute::cpu
