#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stop_token>

#include "compute/blocks.hpp"
#include "compute/cpu/point_tree.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/executor.hpp"

namespace tuile::compute::cpu {

/// The points of a group of buckets that are to be answered: what is common to all walks over a tree.
struct Group {
  std::uint32_t node, first_slot;
  const Record* records;  ///< of its slots
  std::uint64_t queries;  ///< its slots with a point that has a row

  /// rows: records with a smaller index have one
  Group(const TreeView& tree, std::uint32_t at, std::size_t rows)
      : node(at), first_slot(tree.nodes[at].first * bucket_size), records(tree.records + first_slot), queries(0) {
    const std::uint32_t slots = tree.nodes[at].count * bucket_size;
    for (std::uint32_t i = 0; i < slots; ++i) queries |= std::uint64_t{records[i].index < rows} << i;
  }
};

/// Calls action(slot) for every bit.
template <class Action>
void for_each_slot(std::uint64_t slots, Action&& action) {
  for (; slots != 0; slots &= slots - 1) action(static_cast<std::uint32_t>(std::countr_zero(slots)));
}

/// Walks a tree: visit(worker, group) for every group with queries, finish(worker) when a task is done with what make() gave it.
/// Throws Cancelled.
template <class Make, class Visit, class Finish>
void visit_groups(const PointTree& tree, std::size_t rows, Executor& executor, const std::stop_token& stop, Make&& make, Visit&& visit,
                  Finish&& finish) {
  constexpr std::size_t groups_per_task = 48;
  const auto groups = tree.groups();
  const TreeView view = tree.view();
  executor.for_each((groups.size() + groups_per_task - 1) / groups_per_task, [&](std::size_t task) {
    auto worker = make();
    const std::size_t end = std::min(groups.size(), (task + 1) * groups_per_task);
    for (std::size_t g = task * groups_per_task; g < end; ++g) {
      if (stop.stop_requested()) throw Cancelled("stopped while looking for neighbours");
      const Group group(view, groups[g], rows);
      if (group.queries != 0) visit(worker, group);
    }
    finish(worker);
  });
}

/// How far points lie from the sides of an area, beyond which nothing is known.
class Edges {
 public:
  /// Without sides.
  Edges() = default;
  Edges(double min_x, double min_y, double max_x, double max_y) : min_x_(min_x), min_y_(min_y), max_x_(max_x), max_y_(max_y) {}
  explicit Edges(const Area& area) : Edges(side(area.min_x), side(area.min_y), side(area.max_x), side(area.max_y)) {}

  /// To the nearest side, units; negative outside.
  double distance(const Record& at) const noexcept { return std::min({at.x - min_x_, max_x_ - at.x, at.y - min_y_, max_y_ - at.y}); }
  /// Whether a ball around the point reaches beyond a side. reach2: its squared radius
  bool crossed(const Record& at, double reach2) const noexcept {
    const double edge = distance(at);
    return edge < 0 || reach2 > edge * edge;
  }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();
  static double side(std::int64_t at) { return at == Area::open ? infinity : (at == -Area::open ? -infinity : static_cast<double>(at)); }

  double min_x_ = -infinity, min_y_ = -infinity, max_x_ = infinity, max_y_ = infinity;
};

}  // namespace tuile::compute::cpu
