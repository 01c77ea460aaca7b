#include "compute/cpu/tile_run.hpp"

#include <string>
#include <utility>
#include <vector>

#include "compute/blocks.hpp"
#include "compute/cpu/filters.hpp"
#include "compute/cpu/neighbour_pass.hpp"
#include "compute/cpu/tree_walk.hpp"
#include "compute/host/attributes.hpp"
#include "compute/host/heights.hpp"
#include "compute/search_reach.hpp"
#include "compute/tile_checks.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::compute::cpu {

namespace {

/// That of the tree's leaves.
PointOrder order_of(const PointTree& tree) {
  static_assert(sizeof(Record) % sizeof(std::uint32_t) == 0);
  return {&tree.view().records->index, sizeof(Record) / sizeof(std::uint32_t), tree.slots()};
}

/// The columns made of neighbours, and the heights of the same rows.
class FeatureVisitor final : public TreeVisitor {
 public:
  FeatureVisitor(const TileInput& tile, const TilePoints& points, const RunContext& context, Heights& heights, TileOutput& output)
      : tile_(tile), points_(points), context_(context), heights_(heights), output_(output) {}

  /// The surface is one serial task, as long as a good part of the neighbours: they run side by side.
  void begin(const std::function<void()>& work) override {
    context_.executor.for_each(2, [&](std::size_t part) {
      if (part == 0 && heights_.wanted()) heights_.build(points_);
      if (part == 1) work();
    });
  }

  std::vector<std::uint32_t> search(const PointTree& tree, const Area& given) override {
    NeighbourPass pass(tile_, context_.plan, context_.kernels, given);
    pass.run(tree, {output_.features.values.data(), context_.plan.columns.size(), tile_.core->size()}, context_.executor, context_.stop);
    const MutexLock lock(mutex_);
    output_.degenerate_neighbourhoods += pass.degenerate();
    output_.truncated_neighbourhoods += pass.truncated();
    return pass.take_unfinished();
  }

  void finish(const PointTree& tree) override {
    if (heights_.wanted()) heights_.fill(order_of(tree), output_.features.values.data(), context_.executor, context_.stop);
  }

 private:
  const TileInput& tile_;
  const TilePoints& points_;
  const RunContext& context_;
  Heights& heights_;
  Mutex mutex_;  ///< the counts of output_
  TileOutput& output_;
};

/// What other points decide on: neighbours and ground.
void fill_computed(const TileInput& tile, const RunContext& context, const Validity& validity, TileOutput& output) {
  const PointBlock& core = *tile.core;
  const features::FeaturePlan& plan = context.plan;
  const TilePoints points(core, tile.halo, validity, context.executor);
  Heights heights(core, plan, validity);
  if (plan.needs_neighbours()) {
    FeatureVisitor visitor(tile, points, context, heights, output);
    const std::size_t most = points_at_once(points.size(), context.memory, heights.surface_bytes(tile, context.preprocess.reach()));
    walk_trees(points, {.rows = static_cast<std::uint32_t>(core.size()), .reach = widest_search(plan, core.grid.scale), .most = most},
               visitor, context.executor, context.stop);
  } else {
    heights.build(points);
    heights.fill({}, output.features.values.data(), context.executor, context.stop);
  }
  for (std::string& name : heights.missing_columns()) output.missing_columns.push_back(std::move(name));
}

}  // namespace

TileOutput run_tile(const TileInput& tile, const RunContext& context) {
  const PointBlock& core = *tile.core;
  const features::FeaturePlan& plan = context.plan;
  const bool looks_around = plan.needs_neighbours() || plan.needs_ground();
  if (looks_around || context.preprocess.has_filters()) refuse_too_many(tile);
  TileOutput output;
  Marks marks = preprocess({tile, context.preprocess, context.executor, context.stop, context.memory}, context.kernels, output.removed);
  output.features.names = plan.names();
  output.features.points = core.size();
  const std::size_t values = core.size() * plan.columns.size();
  output.features.values = tile.spill_folder.empty() ? Buffer<float>(values) : Buffer<float>::in_file(tile.spill_folder, values);
  output.missing_columns = fill_attributes(core, plan, marks.view().core, output.features.values.data(), context.executor);
  if (core.size() > 0 && looks_around) fill_computed(tile, context, marks.view(), output);
  output.valid = marks.take_core();
  return output;
}

}  // namespace tuile::compute::cpu
