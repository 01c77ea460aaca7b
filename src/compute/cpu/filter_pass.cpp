#include "compute/cpu/filter_pass.hpp"

#include <array>
#include <limits>

#include "compute/cpu/exact_search.hpp"
#include "compute/cpu/groups.hpp"
#include "compute/cpu/scratch.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::compute::cpu {

namespace {

/// Scratch of one task.
struct Worker {
  explicit Worker(const PointTree& points_of) : tree(points_of.view()), points(points_of.points()), exact(tree) {}
  TreeView tree;
  std::size_t points;
  ExactSearch exact;
  ScratchMemory memory;
  Batch batch{};
  std::vector<std::uint32_t> unfinished;
};

/// Answer: void(Worker&, const Group&, reach2): sets a value per query, and how far it depends on points, squared units.
template <class Answer>
class FilterVisitor final : public TreeVisitor {
 public:
  FilterVisitor(const FilterSearch& search, Answer answer) : search_(search), answer_(std::move(answer)) {}

  std::vector<std::uint32_t> search(const PointTree& tree, const Area& given) override {
    const Edges edges(given);
    Guarded<std::vector<std::uint32_t>> unfinished;
    visit_groups(
        tree, search_.points, search_.executor, search_.stop, [&] { return Worker(tree); },
        [&](Worker& worker, const Group& group) {
          std::array<double, group_size> reach2;
          answer_(worker, group, reach2);
          for_each_slot(group.queries, [&](std::uint32_t i) {
            if (edges.crossed(group.records[i], reach2[i])) worker.unfinished.push_back(group.records[i].index);
          });
        },
        [&](Worker& worker) {
          if (worker.unfinished.empty()) return;
          unfinished.with(
              [&](std::vector<std::uint32_t>& all) { all.insert(all.end(), worker.unfinished.begin(), worker.unfinished.end()); });
        });
    return unfinished.take();
  }

 private:
  const FilterSearch& search_;
  const Answer answer_;
};

using Reaches = std::array<double, group_size>;

template <class Answer>
void walk(const TilePoints& tile, const SearchReach& reach, const FilterSearch& search, Answer&& answer) {
  FilterVisitor visitor(search, answer);
  walk_trees(tile, {.rows = search.points, .reach = reach, .most = search.most}, visitor, search.executor, search.stop);
}

}  // namespace

void sum_distances(const TilePoints& tile, std::uint32_t k, const FilterSearch& search, std::uint64_t* values) {
  // The point itself is the nearest, at distance 0.
  const Search nearest{.most = k + 1, .distances = true};
  walk(tile, {.nearest = nearest.most}, search, [&](Worker& worker, const Group& group, Reaches& reach2) {
    const std::uint64_t left = worker.points < nearest.most ? group.queries
                                                            : search.kernels.search(worker.tree, group.node, nearest, group.queries,
                                                                                    worker.memory.view(), worker.batch);
    for_each_slot(left, [&](std::uint32_t i) { worker.exact.distances(group.first_slot + i, nearest, worker.batch, i); });
    for_each_slot(group.queries, [&](std::uint32_t i) {
      values[group.records[i].index] = worker.batch.distances[i];
      reach2[i] = worker.batch.n[i] < nearest.most ? std::numeric_limits<double>::infinity() : worker.batch.reach2[i];
    });
  });
}

void find_lonely(const TilePoints& tile, std::uint64_t limit, const SearchReach& reach, std::uint64_t wanted, const FilterSearch& search,
                 std::uint8_t* few) {
  walk(tile, reach, search, [&](Worker& worker, const Group& group, Reaches& reach2) {
    std::array<std::uint32_t, group_size> counts{};
    const bool counted = search.kernels.count(worker.tree, group.node, limit, group.queries, worker.memory.view(), counts.data());
    for_each_slot(group.queries, [&](std::uint32_t i) {
      const std::uint64_t count = counted ? counts[i] : worker.exact.count_within(group.first_slot + i, limit);
      few[group.records[i].index] = count - 1 < wanted ? 1 : 0;
      reach2[i] = static_cast<double>(limit);
    });
  });
}

}  // namespace tuile::compute::cpu
