#include "compute/cpu/neighbour_pass.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "compute/cpu/exact_search.hpp"
#include "compute/preprocess.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::compute::cpu {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

Search search_for(const features::Neighbourhood& scale, double unit) {
  Search search;
  search.bounded = scale.radius > 0;
  search.most = static_cast<std::uint32_t>(search.bounded ? scale.max_neighbors : scale.k);
  search.limit = search.bounded ? squared_units(scale.radius, unit) : 0;
  return search;
}

}  // namespace

/// Scratch of one task.
struct NeighbourPass::Worker {
  Worker(const PointTree& points_of, std::size_t scales, std::size_t features)
      : tree(points_of.view()), points(points_of.points()), exact(tree), guesses(scales), values(features * group_size) {}
  TreeView tree;
  std::size_t points;
  ExactSearch exact;
  ScratchMemory memory;
  std::vector<float> guesses;  ///< per scale, the last k-th squared distance
  Batch batch{};
  std::vector<float> values;
  std::uint64_t degenerate = 0, truncated = 0;
  std::vector<std::uint32_t> unfinished;
};

NeighbourPass::NeighbourPass(const TileInput& tile, const features::FeaturePlan& plan, const Kernels& kernels, const Area& given)
    : kernels_(kernels), scale_(tile.core->grid.scale), given_(given) {
  using features::Feature;
  std::vector<Scale> scales(plan.scales.size());
  for (std::size_t s = 0; s < scales.size(); ++s) scales[s].search = search_for(plan.scales[s], scale_);
  for (std::size_t c = 0; c < plan.columns.size(); ++c) {
    const Feature feature = plan.columns[c].feature;
    if (feature == Feature::num_points_2m) count_columns_.push_back(c);
    if (!features::info(feature).neighbourhood) continue;
    Scale& scale = scales[plan.columns[c].scale];
    scale.wanted.push_back(feature);
    scale.columns.push_back(c);
    scale.search.needs_z_span |= feature == Feature::vertical_range;
  }
  for (Scale& scale : scales) {
    if (!scale.wanted.empty()) scales_.push_back(std::move(scale));
  }
  count_limit_ = squared_units(2.0, scale_);
  if (!tile.bounds.empty()) {
    const double halo = tile.halo_width / scale_;
    const auto& origin = tile.core->grid.origin;
    edges_ = {static_cast<double>(tile.bounds.min_x - origin[0]) - halo, static_cast<double>(tile.bounds.min_y - origin[1]) - halo,
              static_cast<double>(tile.bounds.max_x - origin[0]) + halo, static_cast<double>(tile.bounds.max_y - origin[1]) + halo};
  }
}

void NeighbourPass::run(const PointTree& tree, const RowTarget& target, Executor& executor, const std::stop_token& stop) {
  std::size_t most_features = 0;
  for (const Scale& scale : scales_) most_features = std::max(most_features, scale.wanted.size());
  visit_groups(
      tree, target.rows, executor, stop, [&] { return Worker(tree, scales_.size(), most_features); },
      [&](Worker& worker, const Group& at) { group(worker, at, target); },
      [&](Worker& worker) {
        degenerate_ += worker.degenerate;
        truncated_ += worker.truncated;
        if (worker.unfinished.empty()) return;
        const MutexLock lock(mutex_);
        unfinished_.insert(unfinished_.end(), worker.unfinished.begin(), worker.unfinished.end());
      });
}

void NeighbourPass::group(Worker& worker, const Group& at, const RowTarget& target) const {
  const Record* const records = at.records;
  const std::uint64_t queries = at.queries;
  std::uint64_t degenerate = 0, truncated = 0, unfinished = 0;
  // reach2: how far an answer depends on points. Those outside what is given lie farther than its edge.
  const auto look_beyond = [&](std::uint32_t i, double reach2) {
    truncated |= std::uint64_t{edges_.crossed(records[i], reach2)} << i;
    unfinished |= std::uint64_t{given_.crossed(records[i], reach2)} << i;
  };
  Scratch& scratch = worker.memory.view();
  for (std::size_t s = 0; s < scales_.size(); ++s) {
    const Scale& scale = scales_[s];
    scratch.guess = worker.guesses[s];
    const std::uint64_t left = worker.points < scale.search.most && !scale.search.bounded
                                   ? queries
                                   : kernels_.search(worker.tree, at.node, scale.search, queries, scratch, worker.batch);
    worker.guesses[s] = scratch.guess;
    for_each_slot(left, [&](std::uint32_t i) { worker.exact.moments(at.first_slot + i, scale.search, worker.batch, i); });
    auto* const values = reinterpret_cast<float(*)[group_size]>(worker.values.data());
    degenerate |= kernels_.evaluate(worker.batch, scale_, scale.wanted.data(), static_cast<std::uint32_t>(scale.wanted.size()), values);
    for_each_slot(queries, [&](std::uint32_t i) {
      float* const row = target.values + std::size_t{records[i].index} * target.columns;
      for (std::size_t f = 0; f < scale.wanted.size(); ++f) row[scale.columns[f]] = values[f][i];
      // The farthest neighbour, or the whole ball, or everything.
      double reach2 = worker.batch.reach2[i];
      if (worker.batch.n[i] < scale.search.most) reach2 = scale.search.bounded ? static_cast<double>(scale.search.limit) : infinity;
      look_beyond(i, reach2);
    });
  }
  if (!count_columns_.empty()) {
    std::array<std::uint32_t, group_size> counts{};
    const bool counted = kernels_.count(worker.tree, at.node, count_limit_, queries, scratch, counts.data());
    for_each_slot(queries, [&](std::uint32_t i) {
      const auto count = static_cast<float>(counted ? counts[i] : worker.exact.count_within(at.first_slot + i, count_limit_));
      for (const std::size_t column : count_columns_) target.values[std::size_t{records[i].index} * target.columns + column] = count;
      look_beyond(i, static_cast<double>(count_limit_));
    });
  }
  for_each_slot(queries & unfinished, [&](std::uint32_t i) { worker.unfinished.push_back(records[i].index); });
  worker.degenerate += static_cast<std::uint64_t>(std::popcount(degenerate & queries & ~unfinished));
  worker.truncated += static_cast<std::uint64_t>(std::popcount(truncated & queries & ~unfinished));
}

}  // namespace tuile::compute::cpu
