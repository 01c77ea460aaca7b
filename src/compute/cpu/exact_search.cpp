#include "compute/cpu/exact_search.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "compute/preprocess.hpp"

namespace tuile::compute::cpu {

namespace {

/// A lower bound of the squared distance from a point to a box. Rounding is allowed for: tens of double operations lose less than 1e-14.
double box_distance(const TreeNode& node, const double (&at)[3]) {
  double sum = 0;
  for (int d = 0; d < 3; ++d) {
    const double gap = std::max({static_cast<double>(node.low[d]) - at[d], at[d] - static_cast<double>(node.high[d]), 0.0});
    sum += gap * gap;
  }
  return sum * (1 - 1e-12);
}

/// An upper bound of the squared distance from a point to what is in a box.
double far_side(const TreeNode& node, const double (&at)[3]) {
  double sum = 0;
  for (int d = 0; d < 3; ++d) {
    const double reach = std::max(static_cast<double>(node.high[d]) - at[d], at[d] - static_cast<double>(node.low[d]));
    sum += reach * reach;
  }
  return sum * (1 + 1e-12);
}

}  // namespace

bool ExactSearch::before(const Neighbour& a, const Neighbour& b) {
  return a.d2 != b.d2 ? a.d2 < b.d2 : std::tie(a.dx, a.dy, a.dz) < std::tie(b.dx, b.dy, b.dz);
}

ExactSearch::Neighbour ExactSearch::neighbour(const Record& record, const Record& centre) {
  Neighbour found{0, std::int64_t{record.x} - centre.x, std::int64_t{record.y} - centre.y, std::int64_t{record.z} - centre.z};
  found.d2 = Wide{found.dx} * found.dx + Wide{found.dy} * found.dy + Wide{found.dz} * found.dz;
  return found;
}

void ExactSearch::gather(const Record& centre, const Search& search) {
  heap_.clear();
  const double at[3] = {static_cast<double>(std::int64_t{centre.x} - tree_.centre[0]),
                        static_cast<double>(std::int64_t{centre.y} - tree_.centre[1]),
                        static_cast<double>(std::int64_t{centre.z} - tree_.centre[2])};
  const double limit = search.bounded ? static_cast<double>(search.limit) : std::numeric_limits<double>::infinity();
  // Depth first, the nearer child first, so that the bound tightens early. The tree is balanced: 64 pending nodes are plenty, and a
  // vector grows if not.
  struct Pending {
    std::uint32_t node;
    double distance;
  };
  std::vector<Pending> stack{{0, box_distance(tree_.nodes[0], at)}};
  while (!stack.empty()) {
    const Pending pending = stack.back();
    stack.pop_back();
    const bool full = heap_.size() == search.most;
    const double bound = full ? static_cast<double>(heap_.front().d2) : limit;
    if (pending.distance > bound) continue;
    const TreeNode& node = tree_.nodes[pending.node];
    // A million copies of a point must not be looked at one by one, for each of them.
    if (full && bound == 0) return;
    if (full && tree_.all_copies(node) && !before(neighbour(tree_.records[node.first * bucket_size], centre), heap_.front())) continue;
    if (node.count > 1) {
      const std::uint32_t left = pending.node + 1;
      const std::uint32_t right = pending.node + 2 * tree_.nodes[left].count;
      Pending near{left, box_distance(tree_.nodes[left], at)}, far{right, box_distance(tree_.nodes[right], at)};
      if (far.distance < near.distance) std::swap(near, far);
      stack.push_back(far);
      stack.push_back(near);
      continue;
    }
    for (std::uint32_t slot = node.first * bucket_size; slot < (node.first + 1) * bucket_size; ++slot) {
      const Record& record = tree_.records[slot];
      if (record.index == no_point) break;
      const Neighbour found = neighbour(record, centre);
      if (search.bounded && found.d2 > Wide{search.limit}) continue;
      if (heap_.size() == search.most) {
        if (!before(found, heap_.front())) continue;
        std::pop_heap(heap_.begin(), heap_.end(), before);
        heap_.back() = found;
      } else {
        heap_.push_back(found);
      }
      std::push_heap(heap_.begin(), heap_.end(), before);
    }
  }
}

void ExactSearch::moments(std::uint32_t slot, const Search& search, Batch& batch, std::size_t at) {
  gather(tree_.records[slot], search);
  // At most 2^16 neighbours of offsets below 2^32: sums stay below 2^80, n Σdx² below 2^96.
  const Wide n = static_cast<Wide>(heap_.size());
  Wide x = 0, y = 0, z = 0, xx = 0, xy = 0, xz = 0, yy = 0, yz = 0, zz = 0, reach2 = 0;
  std::int64_t low = 0, high = 0;
  for (const Neighbour& p : heap_) {
    x += p.dx;
    y += p.dy;
    z += p.dz;
    xx += Wide{p.dx} * p.dx;
    xy += Wide{p.dx} * p.dy;
    xz += Wide{p.dx} * p.dz;
    yy += Wide{p.dy} * p.dy;
    yz += Wide{p.dy} * p.dz;
    zz += Wide{p.dz} * p.dz;
    reach2 = std::max(reach2, p.d2);
    low = std::min(low, p.dz);
    high = std::max(high, p.dz);
  }
  batch.n[at] = static_cast<double>(n);
  batch.xx[at] = static_cast<double>(n * xx - x * x);
  batch.xy[at] = static_cast<double>(n * xy - x * y);
  batch.xz[at] = static_cast<double>(n * xz - x * z);
  batch.yy[at] = static_cast<double>(n * yy - y * y);
  batch.yz[at] = static_cast<double>(n * yz - y * z);
  batch.zz[at] = static_cast<double>(n * zz - z * z);
  batch.reach2[at] = static_cast<double>(reach2);
  batch.z_span[at] = static_cast<double>(high - low);
}

void ExactSearch::distances(std::uint32_t slot, const Search& search, Batch& batch, std::size_t at) {
  gather(tree_.records[slot], search);
  double reach2 = 0;
  std::uint64_t sum = 0;
  for (const Neighbour& p : heap_) {
    const double d2 = nearest_double(static_cast<std::uint64_t>(p.d2 >> 64), static_cast<std::uint64_t>(p.d2));
    reach2 = std::max(reach2, d2);
    sum += quantised_distance(d2);
  }
  batch.n[at] = static_cast<double>(heap_.size());
  batch.reach2[at] = reach2;
  batch.distances[at] = sum;
}

std::uint64_t ExactSearch::count_within(std::uint32_t slot, std::uint64_t limit) const {
  const Record& centre = tree_.records[slot];
  const double at[3] = {static_cast<double>(std::int64_t{centre.x} - tree_.centre[0]),
                        static_cast<double>(std::int64_t{centre.y} - tree_.centre[1]),
                        static_cast<double>(std::int64_t{centre.z} - tree_.centre[2])};
  std::uint64_t count = 0;
  for (std::uint32_t i = 0; i < tree_.node_count;) {
    const TreeNode& node = tree_.nodes[i];
    const bool inside = far_side(node, at) <= static_cast<double>(limit);
    if (inside) count += tree_.points_of(node);
    if (inside || box_distance(node, at) > static_cast<double>(limit)) {
      i += 2 * node.count - 1;
      continue;
    }
    ++i;
    if (node.count > 1) continue;
    for (std::uint32_t other = node.first * bucket_size; other < (node.first + 1) * bucket_size; ++other) {
      const Record& record = tree_.records[other];
      if (record.index == no_point) break;
      const std::int64_t dx = std::int64_t{record.x} - centre.x, dy = std::int64_t{record.y} - centre.y,
                         dz = std::int64_t{record.z} - centre.z;
      if (Wide{dx} * dx + Wide{dy} * dy + Wide{dz} * dz <= Wide{limit}) ++count;
    }
  }
  return count;
}

}  // namespace tuile::compute::cpu
