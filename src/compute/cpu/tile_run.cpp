#include "compute/cpu/tile_run.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compute/blocks.hpp"
#include "compute/cpu/attributes.hpp"
#include "compute/cpu/ground_surface.hpp"
#include "compute/cpu/ground_thinning.hpp"
#include "compute/cpu/neighbour_pass.hpp"
#include "compute/cpu/point_tree.hpp"
#include "compute/far_rows.hpp"
#include "features/formulas.hpp"
#include "tuile/core/error.hpp"

namespace tuile::compute {

namespace {

using features::Feature;

constexpr std::uint8_t ground_class = 2;
constexpr std::size_t points_per_task = 16384;
/// Smaller blocks would be made of little but what they share with their neighbours.
constexpr std::uint64_t smallest_block = 1024;

/// One tile's way: mark, attributes, {neighbours | ground surface}, heights; the last two block by block.
class TileRun {
 public:
  TileRun(const TileInput& tile, const RunContext& context)
      : tile_(tile),
        core_(*tile.core),
        plan_(context.plan),
        kernels_(context.kernels),
        executor_(context.executor),
        stop_(context.stop),
        memory_(context.memory) {
    for (const std::uint8_t code : context.preprocess.exclude_classes) excluded_[code] = true;
    preprocess_ = context.preprocess.active();
  }

  TileOutput run() {
    mark();
    output_.features.names = plan_.names();
    output_.features.points = core_.size();
    const std::size_t values = core_.size() * plan_.columns.size();
    output_.features.values = tile_.spill_folder.empty() ? Buffer<float>(values) : Buffer<float>::in_file(tile_.spill_folder, values);
    const std::uint8_t* const valid = preprocess_ ? output_.valid.data() : nullptr;
    output_.missing_columns = fill_attributes(core_, plan_, valid, output_.features.values.data(), executor_);
    find_height_columns();
    if (core_.size() > 0 && plan_.needs_neighbours()) {
      search();
    } else if (plan_.needs_ground()) {
      build_surface();
      fill_heights(nullptr);
    }
    return std::move(output_);
  }

 private:
  void mark() {
    if (!preprocess_) return;
    output_.valid = Buffer<std::uint8_t>(core_.size());
    for (std::size_t i = 0; i < core_.size(); ++i) output_.valid[i] = excluded_[core_.classification[i]] ? 0 : 1;
  }

  std::size_t all_points() const { return core_.size() + (tile_.halo == nullptr ? 0 : tile_.halo->size()); }

  /// Calls action(point, class, index) for the valid points of core, then halo.
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

  void build_surface() {
    surface_.emplace(
        [this](const TakePoints& take) {
          std::array<GridPoint, 1024> run;
          std::size_t count = 0;
          for_each_valid([&](const GridPoint& point, std::uint8_t code, std::uint32_t) {
            if (code != ground_class) return;
            run[count++] = point;
            if (count < run.size()) return;
            take(run);
            count = 0;
          });
          take({run.data(), count});
        },
        core_.grid);
  }

  /// Bytes that the surface takes at most while it is made.
  std::uint64_t surface_bytes() const {
    if (!plan_.needs_ground()) return 0;
    std::uint64_t ground = 0;
    for (const PointBlock* block : {tile_.core, tile_.halo}) {
      if (block != nullptr)
        ground += static_cast<std::uint64_t>(std::count(block->classification.begin(), block->classification.end(), ground_class));
    }
    if (!tile_.bounds.empty()) {
      const auto cells = [&](std::int64_t low, std::int64_t high) {
        return (static_cast<double>(high - low) * core_.grid.scale + 2 * tile_.halo_width) / ground_cell + 2;
      };
      const double most = cells(tile_.bounds.min_x, tile_.bounds.max_x) * cells(tile_.bounds.min_y, tile_.bounds.max_y);
      if (most < static_cast<double>(ground)) ground = static_cast<std::uint64_t>(most);
    }
    return ground * surface_bytes_per_point;
  }

  void search() {
    if (all_points() >= no_point) {
      throw Unsupported("a tile of " + std::to_string(all_points()) + " points; at most 2^32 - 2 are handled at once, split it");
    }
    if (memory_ == 0) return search_whole();
    const std::uint64_t surface = surface_bytes();
    if (all_points() * search_bytes_per_point + surface <= memory_) return search_whole();
    // What the surface leaves; where it alone is too much, that cannot be helped, and small blocks would only take time.
    const std::uint64_t left = std::max(memory_ - std::min(surface, memory_), memory_ / 4);
    search_blocks(static_cast<std::size_t>(std::max(left / search_bytes_per_point, smallest_block)));
  }

  /// The surface is one serial task, as long as a good part of the neighbours: let them run side by side.
  template <class Action>
  void beside_surface(Action&& action) {
    executor_.for_each(2, [&](std::size_t part) {
      if (part == 0 && plan_.needs_ground()) build_surface();
      if (part == 1) action();
    });
  }

  void search_whole() {
    Buffer<Record> records(all_points());
    std::size_t count = 0;
    for_each_valid([&](const GridPoint& point, std::uint8_t, std::uint32_t index) {
      records[count++] = {point.x, point.y, point.z, index};
    });
    records.shrink(count);
    std::optional<PointTree> tree;
    beside_surface([&] {
      tree.emplace(std::move(records), executor_, stop_);
      pass(*tree, {});
    });
    if (plan_.needs_ground()) fill_heights(&*tree);
  }

  /// Rows that have to be searched for again.
  std::vector<std::uint32_t> pass(const PointTree& tree, const Area& given) {
    NeighbourPass pass(tile_, plan_, kernels_, given);
    pass.run(tree, {output_.features.values.data(), plan_.columns.size(), core_.size()}, executor_, stop_);
    const std::lock_guard lock(mutex_);
    output_.degenerate_neighbourhoods += pass.degenerate();
    output_.truncated_neighbourhoods += pass.truncated();
    return pass.take_unfinished();
  }

  void search_blocks(std::size_t most) {
    const TilePoints points(core_, tile_.halo, excluded_, executor_);
    const Reach reach = widest_search();
    const std::vector<Block> blocks =
        plan_blocks(points, {.most = most, .reach = static_cast<std::int64_t>(reach.radius) + 1, .nearest = reach.nearest});
    std::vector<std::uint32_t> far;
    std::optional<PointTree> tree;
    const auto neighbours = [&](const Block& block) {
      tree.reset();  // its memory is the next one's
      const std::vector<std::uint32_t> unfinished = search_block(points, block, tree);
      far.insert(far.end(), unfinished.begin(), unfinished.end());
    };
    beside_surface([&] {
      if (!blocks.empty()) neighbours(blocks.front());
    });
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      if (b > 0) neighbours(blocks[b]);
      if (plan_.needs_ground() && tree) fill_heights(&*tree);
    }
    if (plan_.needs_ground() && blocks.empty()) fill_heights(nullptr);  // no valid point: all that is left to say is what is missing
    tree.reset();
    search_far(points, std::move(far), reach, most);
  }

  struct Reach {
    double radius = 0;          ///< units: of the largest ball that is searched
    std::uint32_t nearest = 0;  ///< the most neighbours looked for at any distance
  };

  Reach widest_search() const {
    Reach reach;
    double metres = 0;
    for (const features::Column& column : plan_.columns) {
      if (column.feature == Feature::num_points_2m) metres = std::max(metres, 2.0);
      if (!features::info(column.feature).neighbourhood) continue;
      const features::Neighbourhood& scale = plan_.scales[column.scale];
      metres = std::max(metres, scale.radius);
      if (!(scale.radius > 0)) reach.nearest = std::max(reach.nearest, static_cast<std::uint32_t>(scale.k));
    }
    // Nothing lies farther apart than 2^33 units; a little more than the radius, for rounding.
    reach.radius = std::min(std::ceil(metres / core_.grid.scale * (1 + 1e-9)), 0x1p33);
    return reach;
  }

  /// Records without a row of this search carry an index that is nobody's row.
  std::uint32_t no_row() const { return static_cast<std::uint32_t>(core_.size()); }

  std::vector<std::uint32_t> search_block(const TilePoints& points, const Block& block, std::optional<PointTree>& tree) {
    if (stop_.stop_requested()) throw Cancelled("stopped while computing features");
    Buffer<Record> records = points.gather_in<Record>(
        block.given,
        [&](const GridPoint& p, std::uint32_t index) {
          return Record{p.x, p.y, p.z, block.own.contains(p.x, p.y) && index < no_row() ? index : no_row()};
        },
        executor_);
    tree.emplace(std::move(records), executor_, stop_);
    return pass(*tree, block.given);
  }

  void search_far(const TilePoints& points, std::vector<std::uint32_t> rows, const Reach& reach, std::size_t most) {
    const std::size_t share = std::max<std::size_t>(most / static_cast<std::size_t>(executor_.threads()), smallest_block);
    const std::vector<FarGroup> groups =
        group_far_rows(points, std::move(rows), {.most = share, .reach = reach.radius, .nearest = reach.nearest}, executor_, stop_);
    executor_.for_each(groups.size(), [&](std::size_t g) {
      if (stop_.stop_requested()) throw Cancelled("stopped while computing features");
      const FarGroup& group = groups[g];
      Buffer<Record> records = points.gather<Record>([&](const TilePoints::Run& run) { return group.touches(run); },
                                                     [&](const GridPoint& p) { return group.holds(p); },
                                                     [&](const GridPoint& p, std::uint32_t index) {
                                                       const bool is_row = std::binary_search(group.rows.begin(), group.rows.end(), index);
                                                       return Record{p.x, p.y, p.z, is_row ? index : no_row()};
                                                     },
                                                     executor_);
      const PointTree tree(std::move(records), executor_, stop_);
      pass(tree, {});
      if (plan_.needs_ground()) fill_heights(&tree);
    });
  }

  void find_height_columns() {
    for (std::size_t c = 0; c < plan_.columns.size(); ++c) {
      if (plan_.columns[c].feature == Feature::height_above_ground) heights_.push_back(c);
      if (plan_.columns[c].feature == Feature::facade_score) facades_.push_back(c);
    }
  }

  /// Of the rows of a tree, or of all where there is none. A tree's order is the better one: a cursor finds the next triangle from the
  /// last.
  void fill_heights(const PointTree* tree) {
    const bool missing = surface_->empty();
    if (missing && core_.size() > 0) name_missing_heights();
    const auto fill = [&](std::size_t point, GroundSurface::Cursor& cursor) {
      float* const row = output_.features.values.data() + point * plan_.columns.size();
      const GridPoint& at = core_.units[point];
      const double height = missing ? std::numeric_limits<double>::quiet_NaN() : (at.z - cursor.height(at.x, at.y)) * core_.grid.scale;
      for (const std::size_t c : heights_) row[c] = static_cast<float>(height);
      for (const std::size_t c : facades_) {
        row[c] = missing ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(features::facade_score(row[c], height));
      }
    };
    const TreeView view = tree != nullptr ? tree->view() : TreeView{};
    const std::size_t slots = tree != nullptr ? tree->slots() : core_.size();
    executor_.for_each((slots + points_per_task - 1) / points_per_task, [&](std::size_t task) {
      if (stop_.stop_requested()) throw Cancelled("stopped while computing heights above ground");
      GroundSurface::Cursor cursor(*surface_);
      const std::size_t end = std::min(slots, (task + 1) * points_per_task);
      for (std::size_t slot = task * points_per_task; slot < end; ++slot) {
        const std::size_t point = tree != nullptr ? view.records[slot].index : slot;
        if (point < core_.size() && !excluded_[core_.classification[point]]) fill(point, cursor);
      }
    });
  }

  void name_missing_heights() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(heights_are_missing_, true)) return;
    for (const features::Column& column : plan_.columns) {
      if (column.feature == Feature::height_above_ground || column.feature == Feature::facade_score) {
        output_.missing_columns.push_back(column.name);
      }
    }
  }

  const TileInput& tile_;
  const PointBlock& core_;
  const features::FeaturePlan& plan_;
  const Kernels& kernels_;
  Executor& executor_;
  const std::stop_token& stop_;
  const std::uint64_t memory_;
  std::array<bool, 256> excluded_{};
  bool preprocess_ = false;
  std::vector<std::size_t> heights_, facades_;  ///< columns
  std::optional<GroundSurface> surface_;

  std::mutex mutex_;  ///< the counts of output_ and what follows
  bool heights_are_missing_ = false;
  TileOutput output_;
};

}  // namespace

TileOutput run_tile(const TileInput& tile, const RunContext& context) { return TileRun(tile, context).run(); }

}  // namespace tuile::compute
