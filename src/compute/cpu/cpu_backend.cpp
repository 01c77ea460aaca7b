#include "compute/cpu/cpu_backend.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "compute/cpu/attributes.hpp"
#include "compute/cpu/ground_surface.hpp"
#include "compute/cpu/kernels.hpp"
#include "compute/cpu/neighbour_pass.hpp"
#include "compute/cpu/point_tree.hpp"
#include "features/formulas.hpp"
#include "tuile/core/error.hpp"

namespace tuile::compute {

namespace {

using features::Feature;
using features::FeaturePlan;

constexpr std::uint8_t ground_class = 2;
constexpr std::size_t points_per_task = 16384;

/// One tile's way: mark, attributes, {tree and neighbours | ground surface}, heights.
class TileRun {
 public:
  TileRun(const TileInput& tile, const FeaturePlan& plan, const Preprocess& preprocess, const Kernels& kernels, Executor& executor,
          const std::stop_token& stop)
      : tile_(tile), core_(*tile.core), plan_(plan), kernels_(kernels), executor_(executor), stop_(stop) {
    for (const std::uint8_t code : preprocess.exclude_classes) excluded_[code] = true;
    preprocess_ = preprocess.active();
  }

  TileOutput run() {
    mark();
    output_.features.names = plan_.names();
    output_.features.points = core_.size();
    output_.features.values = Buffer<float>(core_.size() * plan_.columns.size());
    const std::uint8_t* const valid = preprocess_ ? output_.valid.data() : nullptr;
    output_.missing_columns = fill_attributes(core_, plan_, valid, output_.features.values.data(), executor_);
    // The surface is one serial task, as long as a good part of the neighbours: let them run side by side.
    executor_.for_each(2, [&](std::size_t part) {
      if (part == 0 && plan_.needs_ground()) build_surface();
      if (part == 1 && plan_.needs_neighbours()) find_neighbours();
    });
    if (plan_.needs_ground()) fill_heights();
    return std::move(output_);
  }

 private:
  void mark() {
    if (!preprocess_) return;
    output_.valid = Buffer<std::uint8_t>(core_.size());
    for (std::size_t i = 0; i < core_.size(); ++i) output_.valid[i] = excluded_[core_.classification[i]] ? 0 : 1;
  }

  /// Calls action(point, index) for the valid points of core, then halo.
  template <class Action>
  void for_each_valid(Action&& action) const {
    std::uint32_t index = 0;
    for (const PointBlock* block : {tile_.core, tile_.halo}) {
      if (block == nullptr) continue;
      for (std::size_t i = 0; i < block->size(); ++i, ++index) {
        if (!excluded_[block->classification[i]]) action(block->units[i], block->classification[i], index);
      }
    }
  }

  std::size_t all_points() const { return core_.size() + (tile_.halo == nullptr ? 0 : tile_.halo->size()); }

  void build_surface() {
    std::vector<GridPoint> ground;
    for_each_valid([&](const GridPoint& point, std::uint8_t code, std::uint32_t) {
      if (code == ground_class) ground.push_back(point);
    });
    surface_.emplace(ground, core_.grid);
  }

  void find_neighbours() {
    if (core_.size() == 0) return;
    if (all_points() >= no_point) {
      throw Unsupported("a tile of " + std::to_string(all_points()) + " points; at most 2^32 - 2 are handled at once, split it");
    }
    Buffer<Record> records(all_points());
    std::size_t count = 0;
    for_each_valid([&](const GridPoint& point, std::uint8_t, std::uint32_t index) {
      records[count++] = {point.x, point.y, point.z, index};
    });
    records.shrink(count);
    tree_.emplace(std::move(records), executor_, stop_);
    NeighbourPass pass(tile_, plan_, kernels_);
    pass.run(*tree_, {output_.features.values.data(), plan_.columns.size(), core_.size()}, executor_, stop_);
    output_.degenerate_neighbourhoods = pass.degenerate();
    output_.truncated_neighbourhoods = pass.truncated();
  }

  void fill_heights() {
    std::vector<std::size_t> heights, facades;
    for (std::size_t c = 0; c < plan_.columns.size(); ++c) {
      if (plan_.columns[c].feature == Feature::height_above_ground) heights.push_back(c);
      if (plan_.columns[c].feature == Feature::facade_score) facades.push_back(c);
    }
    const bool missing = surface_->empty();
    if (missing && core_.size() > 0) {
      for (std::size_t c = 0; c < plan_.columns.size(); ++c) {
        const Feature feature = plan_.columns[c].feature;
        if (feature == Feature::height_above_ground || feature == Feature::facade_score) {
          output_.missing_columns.push_back(plan_.columns[c].name);
        }
      }
    }
    const auto fill = [&](std::size_t point, GroundSurface::Cursor* cursor) {
      float* const row = output_.features.values.data() + point * plan_.columns.size();
      const GridPoint& at = core_.units[point];
      const double height = missing ? std::numeric_limits<double>::quiet_NaN() : (at.z - cursor->height(at.x, at.y)) * core_.grid.scale;
      for (const std::size_t c : heights) row[c] = static_cast<float>(height);
      for (const std::size_t c : facades) {
        row[c] = missing ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(features::facade_score(row[c], height));
      }
    };
    // In the tree's order where there is a tree: a cursor finds the next triangle from the last.
    const bool by_tree = tree_.has_value() && !missing;
    const TreeView view = by_tree ? tree_->view() : TreeView{};
    const std::size_t slots = by_tree ? tree_->slots() : core_.size();
    executor_.for_each((slots + points_per_task - 1) / points_per_task, [&](std::size_t task) {
      if (stop_.stop_requested()) throw Cancelled("stopped while computing heights above ground");
      GroundSurface::Cursor cursor(*surface_);
      const std::size_t end = std::min(slots, (task + 1) * points_per_task);
      for (std::size_t slot = task * points_per_task; slot < end; ++slot) {
        const std::size_t point = by_tree ? view.records[slot].index : slot;
        if (point < core_.size() && !excluded_[core_.classification[point]]) fill(point, &cursor);
      }
    });
  }

  const TileInput& tile_;
  const PointBlock& core_;
  const FeaturePlan& plan_;
  const Kernels& kernels_;
  Executor& executor_;
  const std::stop_token& stop_;
  std::array<bool, 256> excluded_{};
  bool preprocess_ = false;
  TileOutput output_;
  std::optional<GroundSurface> surface_;
  std::optional<PointTree> tree_;
};

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(Executor& executor) : kernels_(select_kernels()), executor_(executor) {}

  std::string name() const override { return "cpu"; }
  std::string description() const override {
    return std::string("cpu, ") + kernels_.name + ", " + std::to_string(executor_.threads()) +
           (executor_.threads() == 1 ? " thread" : " threads");
  }

  std::vector<TileOutput> compute(std::span<const TileInput> tiles, const FeaturePlan& plan, const Preprocess& preprocess,
                                  std::stop_token stop) override {
    for (const TileInput& tile : tiles) check(tile);
    std::vector<TileOutput> outputs(tiles.size());
    executor_.for_each(tiles.size(),
                       [&](std::size_t i) { outputs[i] = TileRun(tiles[i], plan, preprocess, kernels_, executor_, stop).run(); });
    return outputs;
  }

 private:
  static void check(const TileInput& tile) {
    if (tile.core == nullptr) throw InvalidArgument("a tile without core points was given; TileInput.core must not be null");
    if (tile.halo != nullptr && !(tile.halo->grid == tile.core->grid)) {
      throw InvalidArgument("core and halo lie on different grids; regrid the halo to the core's scale and origin first");
    }
    if (!(tile.core->grid.scale > 0)) {
      throw InvalidArgument("the grid's scale is " + std::to_string(tile.core->grid.scale) + "; metres per unit above 0 are expected");
    }
    for (const PointBlock* block : {tile.core, tile.halo}) {
      if (block != nullptr && block->classification.size() != block->size()) {
        throw InvalidArgument("a block of " + std::to_string(block->size()) + " points has " +
                              std::to_string(block->classification.size()) + " classes; one per point is expected");
      }
    }
  }

  const Kernels& kernels_;
  Executor& executor_;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(Executor& executor) { return std::make_unique<CpuBackend>(executor); }

}  // namespace tuile::compute
