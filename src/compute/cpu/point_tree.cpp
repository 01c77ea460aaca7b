#include "compute/cpu/point_tree.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tuile/core/error.hpp"

namespace tuile::compute::cpu {

namespace {

/// Ranges of at most this many points are arranged by one task in the first-level cache.
constexpr std::size_t range_size = 1024;
constexpr std::size_t sample_size = 128;

using Axis = std::int32_t Record::*;
constexpr std::array<Axis, 3> axes{&Record::x, &Record::y, &Record::z};

Axis longest_axis(const Record* begin, std::size_t count, std::size_t step) {
  std::int32_t low_x = begin->x, low_y = begin->y, low_z = begin->z, high_x = low_x, high_y = low_y, high_z = low_z;
  for (std::size_t i = 0; i < count; i += step) {
    const Record record = begin[i];
    low_x = std::min(low_x, record.x);
    low_y = std::min(low_y, record.y);
    low_z = std::min(low_z, record.z);
    high_x = std::max(high_x, record.x);
    high_y = std::max(high_y, record.y);
    high_z = std::max(high_z, record.z);
  }
  const std::int64_t x = std::int64_t{high_x} - low_x, y = std::int64_t{high_y} - low_y, z = std::int64_t{high_z} - low_z;
  return x >= y && x >= z ? axes[0] : (y >= z ? axes[1] : axes[2]);
}

/// Copies `from` to `to`, those below `pivot` first. Returns how many these are. Both writes are made for every point; the one that does
/// not count is overwritten by a later one.
std::size_t part_below(const Record* from, std::size_t count, Axis axis, std::int32_t pivot, Record* to) {
  std::size_t left = 0, right = count;
  for (std::size_t i = 0; i < count; ++i) {
    const Record record = from[i];
    to[left] = record;
    to[right - 1] = record;
    const std::size_t below = record.*axis < pivot ? 1 : 0;
    left += below;
    right -= 1 - below;
  }
  return left;
}

/// Parts a large range near its middle along its longest side, from one array into another. Returns the size of the left part.
std::size_t part_range(const Record* from, std::size_t count, Record* to) {
  const std::size_t step = count / sample_size;
  const Axis axis = longest_axis(from, count, step);
  std::array<std::int32_t, sample_size> sample{};
  for (std::size_t i = 0; i < sample_size; ++i) sample[i] = from[i * step + step / 2].*axis;
  std::nth_element(sample.begin(), sample.begin() + sample_size / 2, sample.end());
  const std::size_t left = part_below(from, count, axis, sample[sample_size / 2], to);
  if (left >= count / 8 && left <= count - count / 8) return left;
  // Many equal coordinates, or an unlucky sample: the exact middle, whatever it costs.
  std::nth_element(to, to + count / 2, to + count, [axis](const Record& a, const Record& b) { return a.*axis < b.*axis; });
  return count / 2;
}

/// Median of nine keys spread over a range.
std::int32_t middle_key(const Record* begin, std::size_t count, Axis axis) {
  std::array<std::int32_t, 9> keys{};
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = begin[(2 * i + 1) * count / (2 * keys.size())].*axis;
  std::nth_element(keys.begin(), keys.begin() + 4, keys.end());
  return keys[4];
}

/// Brings those that `is_left` to the front, in place and without branches. Returns how many they are.
template <class Predicate>
std::size_t part_in_place(Record* begin, std::size_t count, Predicate&& is_left) {
  std::size_t left = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Record record = begin[i];
    begin[i] = begin[left];
    begin[left] = record;
    left += is_left(record) ? 1 : 0;
  }
  return left;
}

/// Brings the `middle` smallest along `axis` to the front: quickselect.
void select_below(Record* begin, std::size_t count, std::size_t middle, Axis axis) {
  for (int round = 0; count > 24 && round < 40; ++round) {
    const std::int32_t pivot = middle_key(begin, count, axis);
    const std::size_t below = part_in_place(begin, count, [=](const Record& record) { return record.*axis < pivot; });
    if (middle < below) {
      count = below;
      continue;
    }
    begin += below;
    count -= below;
    middle -= below;
    if (below > 0) continue;
    // Nothing lies below the pivot: set those equal to it apart, however many they are.
    const std::size_t equal = part_in_place(begin, count, [=](const Record& record) { return record.*axis == pivot; });
    if (middle <= equal) return;
    begin += equal;
    count -= equal;
    middle -= equal;
  }
  std::nth_element(begin, begin + middle, begin + count, [axis](const Record& a, const Record& b) { return a.*axis < b.*axis; });
}

std::uint32_t buckets_of(std::size_t points) { return static_cast<std::uint32_t>((points + bucket_size - 1) / bucket_size); }

/// How many of a node's buckets its left child gets: about half, in whole groups, so that few groups are small.
std::uint32_t left_buckets(std::uint32_t count) {
  if (count <= group_buckets) return count / 2;
  return (count / 2 + group_buckets / 2) / group_buckets * group_buckets;
}

/// The bucket boxes are known; sets those of the inner nodes of a subtree.
void join_boxes(TreeNode& node, const TreeNode& a, const TreeNode& b) {
  for (int d = 0; d < 3; ++d) {
    node.low[d] = std::min(a.low[d], b.low[d]);
    node.high[d] = std::max(a.high[d], b.high[d]);
  }
}

}  // namespace

/// A node of the upper tree: either parted further, or arranged by one task.
struct PointTree::Range {
  std::size_t begin, count;
  bool in_spare = false;
  std::size_t left = 0, right = 0;  ///< children, by position in the list; 0: none
  std::uint32_t buckets = 0, first_bucket = 0, node = 0;
};

PointTree::PointTree(Buffer<Record> records, Executor& executor, const std::stop_token& stop) : points_(records.size()) {
  if (points_ == 0) return;
  std::array<std::int32_t, 3> low{records[0].x, records[0].y, records[0].z}, high = low;
  for (const Record& record : records) {
    for (std::size_t d = 0; d < 3; ++d) {
      low[d] = std::min(low[d], record.*axes[d]);
      high[d] = std::max(high[d], record.*axes[d]);
    }
  }
  for (std::size_t d = 0; d < 3; ++d) {
    const std::int64_t length = std::int64_t{high[d]} - low[d];
    centre_[d] = static_cast<std::int32_t>(low[d] + length / 2);
    exact_ = exact_ && length < 2 * static_cast<std::int64_t>(exact_limit);
  }
  Buffer<Record> spare(points_);
  std::vector<Range> ranges = part(records, spare, executor, stop);
  place(ranges);
  std::vector<std::size_t> leaves;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].left == 0) leaves.push_back(i);
  }
  constexpr std::size_t leaves_per_task = 16;
  executor.for_each((leaves.size() + leaves_per_task - 1) / leaves_per_task, [&](std::size_t task) {
    if (stop.stop_requested()) throw Cancelled("stopped while ordering the points");
    for (std::size_t i = task * leaves_per_task; i < std::min(leaves.size(), (task + 1) * leaves_per_task); ++i) {
      const Range& range = ranges[leaves[i]];
      fill(range, (range.in_spare ? spare : records).data() + range.begin);
    }
  });
  for (std::size_t i = ranges.size(); i-- > 0;) {  // children come after their parents
    const Range& range = ranges[i];
    if (range.left != 0) join_boxes(nodes_[range.node], nodes_[ranges[range.left].node], nodes_[ranges[range.right].node]);
  }
  for (std::uint32_t i = 0; i < nodes_.size();) {
    const std::uint32_t count = nodes_[i].count;
    if (count <= group_buckets) groups_.push_back(i);
    i += count <= group_buckets ? 2 * count - 1 : 1;
  }
}

std::vector<PointTree::Range> PointTree::part(Buffer<Record>& records, Buffer<Record>& spare, Executor& executor,
                                              const std::stop_token& stop) {
  std::vector<Range> ranges{{0, points_}};
  std::size_t level = 0;
  while (level < ranges.size()) {
    std::vector<std::size_t> large;
    for (std::size_t i = level; i < ranges.size(); ++i) {
      if (ranges[i].count > range_size) large.push_back(i);
    }
    level = ranges.size();
    std::vector<std::size_t> left(large.size());
    executor.for_each(large.size(), [&](std::size_t i) {
      if (stop.stop_requested()) throw Cancelled("stopped while ordering the points");
      const Range& range = ranges[large[i]];
      Record* const from = (range.in_spare ? spare : records).data() + range.begin;
      Record* const to = (range.in_spare ? records : spare).data() + range.begin;
      left[i] = part_range(from, range.count, to);
    });
    for (std::size_t i = 0; i < large.size(); ++i) {
      const Range parent = ranges[large[i]];
      ranges[large[i]].left = ranges.size();
      ranges[large[i]].right = ranges.size() + 1;
      ranges.push_back({parent.begin, left[i], !parent.in_spare});
      ranges.push_back({parent.begin + left[i], parent.count - left[i], !parent.in_spare});
    }
  }
  return ranges;
}

void PointTree::place(std::vector<Range>& ranges) {
  for (std::size_t i = ranges.size(); i-- > 0;) {
    Range& range = ranges[i];
    range.buckets = range.left == 0 ? buckets_of(range.count) : ranges[range.left].buckets + ranges[range.right].buckets;
  }
  const std::size_t slots = std::size_t{ranges[0].buckets} * bucket_size;
  records_ = Buffer<Record>(slots);
  x_ = Buffer<float>(slots);
  y_ = Buffer<float>(slots);
  z_ = Buffer<float>(slots);
  nodes_ = Buffer<TreeNode>(2 * std::size_t{ranges[0].buckets} - 1);
  points_before_ = Buffer<std::uint32_t>(std::size_t{ranges[0].buckets} + 1);
  points_before_[ranges[0].buckets] = static_cast<std::uint32_t>(points_);
  for (const Range& range : ranges) {
    nodes_[range.node].first = range.first_bucket;
    nodes_[range.node].count = range.buckets;
    if (range.left == 0) continue;
    Range& left = ranges[range.left];
    Range& right = ranges[range.right];
    left.first_bucket = range.first_bucket;
    left.node = range.node + 1;
    right.first_bucket = range.first_bucket + left.buckets;
    right.node = range.node + 2 * left.buckets;
  }
}

void PointTree::fill(const Range& range, const Record* from) {
  Record* const records = records_.data() + std::size_t{range.first_bucket} * bucket_size;
  std::copy(from, from + range.count, records);
  std::fill(records + range.count, records + std::size_t{range.buckets} * bucket_size, Record{0, 0, 0, no_point});
  for (std::uint32_t i = 0; i < range.buckets; ++i) {  // ranges follow each other, and only their last bucket has unused slots
    points_before_[range.first_bucket + i] = static_cast<std::uint32_t>(range.begin + std::size_t{i} * bucket_size);
  }
  // Top-down: every node is parted at a multiple of 16 points, its children follow in pre-order.
  const std::uint32_t end = range.node + 2 * range.buckets - 1;
  for (std::uint32_t i = range.node; i < end; ++i) {
    const TreeNode node = nodes_[i];
    if (node.count == 1) continue;
    const std::uint32_t half = left_buckets(node.count);
    const std::size_t start = std::size_t{node.first - range.first_bucket} * bucket_size;
    const std::size_t count = std::min(range.count - start, std::size_t{node.count} * bucket_size);
    select_below(records + start, count, std::size_t{half} * bucket_size, longest_axis(records + start, count, 1));
    nodes_[i + 1].first = node.first;
    nodes_[i + 1].count = half;
    nodes_[i + 2 * half].first = node.first + half;
    nodes_[i + 2 * half].count = node.count - half;
  }
  const auto relative = [](std::int32_t value, std::int32_t centre) { return static_cast<float>(std::int64_t{value} - centre); };
  constexpr float far = std::numeric_limits<float>::infinity();
  for (std::uint32_t i = end; i-- > range.node;) {
    TreeNode& node = nodes_[i];
    if (node.count > 1) {
      const TreeNode& left = nodes_[i + 1];
      join_boxes(node, left, nodes_[i + 2 * left.count]);
      continue;
    }
    for (int d = 0; d < 3; ++d) {
      node.low[d] = far;
      node.high[d] = -far;
    }
    for (std::uint32_t lane = 0; lane < bucket_size; ++lane) {
      const std::size_t slot = std::size_t{node.first} * bucket_size + lane;
      const Record& record = records_[slot];
      const bool used = record.index != no_point;
      const std::array<float, 3> at{relative(record.x, centre_[0]), relative(record.y, centre_[1]), relative(record.z, centre_[2])};
      x_[slot] = used ? at[0] : far;
      y_[slot] = used ? at[1] : far;
      z_[slot] = used ? at[2] : far;
      for (std::size_t d = 0; used && d < 3; ++d) {
        node.low[d] = std::min(node.low[d], at[d]);
        node.high[d] = std::max(node.high[d], at[d]);
      }
    }
    // Rounded coordinates: the box must hold the true ones.
    for (int d = 0; !exact_ && d < 3; ++d) {
      node.low[d] = std::nextafter(node.low[d], -far);
      node.high[d] = std::nextafter(node.high[d], far);
    }
  }
}

TreeView PointTree::view() const noexcept {
  return {x_.data(),
          y_.data(),
          z_.data(),
          records_.data(),
          nodes_.data(),
          points_before_.data(),
          static_cast<std::uint32_t>(nodes_.size()),
          {centre_[0], centre_[1], centre_[2]},
          exact_};
}

}  // namespace tuile::compute::cpu
