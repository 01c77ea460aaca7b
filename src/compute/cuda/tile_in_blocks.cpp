#include "compute/cuda/tile_in_blocks.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "compute/blocks.hpp"
#include "compute/cuda/batch_plan.hpp"
#include "compute/cuda/in_parallel.hpp"
#include "compute/cuda/parts.hpp"
#include "compute/far_rows.hpp"
#include "compute/host/attributes.hpp"
#include "compute/host/heights.hpp"
#include "compute/search_reach.hpp"
#include "compute/tile_checks.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::compute::cuda {

namespace {

constexpr std::size_t rows_per_task = std::size_t{1} << 15;

class TileInBlocks {
 public:
  TileInBlocks(TileWork& tile, const BlockLimits& limits, const CallContext& context, Dispatch& dispatch)
      : input_(*tile.input), output_(tile.output), limits_(limits), context_(context), dispatch_(dispatch) {
    search_plan_ = context.plan;
    search_plan_.columns.clear();
    for (std::size_t c = 0; c < context.plan.columns.size(); ++c) {
      const features::Column& column = context.plan.columns[c];
      if (!features::info(column.feature).neighbourhood && column.feature != features::Feature::num_points_2m) continue;
      search_plan_.columns.push_back(column);
      columns_.push_back(c);
    }
  }

  void run() {
    const PointBlock& core = *input_.core;
    output_.removed = {};
    Marks marks = context_.filter({input_, context_.preprocess, context_.executor, context_.stop, limits_.memory}, output_.removed);
    float* const values = output_.features.values.data();
    output_.missing_columns = fill_attributes(core, context_.plan, marks.view().core, values, context_.executor);
    const TilePoints points(core, input_.halo, marks.view(), context_.executor);
    Heights heights(core, context_.plan, marks.view());
    // Side by side, but not in the executor: none of its tasks may wait for a lane, as whoever has one may wait for the executor.
    in_parallel(2, 2, [&](std::size_t part) {
      if (part == 0 && heights.wanted()) context_.executor.for_each(1, [&](std::size_t) { heights.build(points); });
      if (part == 1 && !columns_.empty()) search(points);
    });
    if (heights.wanted()) heights.fill({}, values, context_.executor, context_.stop);
    for (std::string& name : heights.missing_columns()) output_.missing_columns.push_back(std::move(name));
    output_.valid = marks.take_core();
    const MutexLock lock(mutex_);
    if (moved_) ++dispatch_.counts().tiles_moved;
    if (device_ != nullptr) device_->count_tiles(1);
  }

 private:
  void search(const TilePoints& points) {
    std::uint64_t most = limits_.points;
    if (limits_.memory > 0) {
      // A point is gathered, moved behind those with rows, and mostly has a row; each worker has a block.
      const std::uint64_t per_point = sizeof(Part::Placed) + sizeof(GridPoint) + sizeof(std::uint32_t) + sizeof(float) * columns_.size();
      most = std::min(most, limits_.memory / (per_point * dispatch_.workers()));
    }
    for (most = std::max(most, smallest_block);; most /= 2) {
      try {
        return search_blocks(points, static_cast<std::size_t>(most));
      } catch (const DeviceOutOfMemory&) {
        if (most / 2 < smallest_block) throw;
        ++dispatch_.counts().batches_halved;
      }
    }
  }

  void search_blocks(const TilePoints& points, std::size_t most) {
    output_.degenerate_neighbourhoods = output_.truncated_neighbourhoods = 0;
    {
      const MutexLock lock(mutex_);
      far_.clear();
    }
    const SearchReach reach = widest_search(context_.plan, input_.core->grid.scale);
    const std::vector<Block> blocks =
        plan_blocks(points, {.most = most, .reach = static_cast<std::int64_t>(reach.radius) + 1, .nearest = reach.nearest});
    in_parallel(blocks.size(), dispatch_.workers(), [&](std::size_t b) {
      Part part = block_part(points, blocks[b]);
      if (!part.rows.empty()) search_together({&part, 1});
    });
    search_far(points, reach, most);
  }

  static Part::Placed placed(const GridPoint& point, std::uint32_t index) { return {point, index}; }

  Part block_part(const TilePoints& points, const Block& block) const {
    const Buffer<Part::Placed> given = points.gather_in<Part::Placed>(block.given, placed, context_.executor);
    return Part::of(given, block.given, context_.pinned, [&](const GridPoint& point, std::uint32_t index) {
      return index < input_.core->size() && block.own.contains(point.x, point.y);
    });
  }

  /// Rows whose neighbourhoods reach beyond their blocks: with all points of a ball that holds their neighbours.
  void search_far(const TilePoints& points, const SearchReach& reach, std::size_t most) {
    std::vector<std::uint32_t> far;
    {
      const MutexLock lock(mutex_);
      far.swap(far_);
    }
    const std::vector<FarGroup> groups = group_far_rows(
        points, std::move(far), {.most = most, .reach = reach.radius, .nearest = reach.nearest}, context_.executor, context_.stop);
    // Neighbours in this order are about equal in size: so many of them go together as make one block.
    constexpr std::size_t together = 64;
    in_parallel((groups.size() + together - 1) / together, dispatch_.workers(), [&](std::size_t task) {
      const std::size_t end = std::min(groups.size(), (task + 1) * together);
      std::vector<Part> parts;
      std::size_t gathered = 0;
      for (std::size_t g = task * together; g < end; ++g) {
        parts.push_back(ball_part(points, groups[g]));
        gathered += parts.back().units.size();
        if (gathered < most && g + 1 < end) continue;
        search_together(parts);
        parts.clear();
        gathered = 0;
      }
    });
  }

  Part ball_part(const TilePoints& points, const FarGroup& group) const {
    const Buffer<Part::Placed> given =
        points.gather<Part::Placed>([&](const TilePoints::Run& run) { return group.touches(run); },
                                    [&](const GridPoint& point) { return group.holds(point); }, placed, context_.executor);
    return Part::of(given, {}, context_.pinned,
                    [&](const GridPoint&, std::uint32_t index) { return std::binary_search(group.rows.begin(), group.rows.end(), index); });
  }

  void search_together(std::span<const Part> parts) {
    PartResults results;
    Device* device = nullptr;
    bool moved = false;
    const auto search_with = [&](Share share) {
      dispatch_.run(share, moved, [&](Lane& lane) {
        results = search_parts(lane, input_, parts, search_plan_, context_);
        device = &lane.device();
      });
    };
    try {
      search_with(Share::lane);
    } catch (const DeviceOutOfMemory&) {
      search_with(Share::device);  // beside others there was no room for it
    }
    std::size_t first = 0;
    for (const Part& part : parts) {
      scatter(part, results.values.data() + first * columns_.size());
      first += part.rows.size();
    }
    const MutexLock lock(mutex_);
    moved_ |= moved;
    device_ = device;
    output_.degenerate_neighbourhoods += results.degenerate;
    output_.truncated_neighbourhoods += results.truncated;
    far_.insert(far_.end(), results.unfinished.begin(), results.unfinished.end());
  }

  /// Unfinished rows are written too, and again later.
  void scatter(const Part& part, const float* from) {
    const std::size_t width = context_.plan.columns.size();
    context_.executor.for_each((part.rows.size() + rows_per_task - 1) / rows_per_task, [&](std::size_t task) {
      const std::size_t end = std::min(part.rows.size(), (task + 1) * rows_per_task);
      for (std::size_t r = task * rows_per_task; r < end; ++r) {
        float* const row = output_.features.values.data() + std::size_t{part.rows[r]} * width;
        for (std::size_t c = 0; c < columns_.size(); ++c) row[columns_[c]] = from[r * columns_.size() + c];
      }
    });
  }

  const TileInput& input_;
  TileOutput& output_;
  const BlockLimits limits_;
  const CallContext& context_;
  Dispatch& dispatch_;
  features::FeaturePlan search_plan_;  ///< the columns of neighbourhoods …
  std::vector<std::size_t> columns_;   ///< … and where they stand in a row
  Mutex mutex_;                        ///< the counts of output_, too
  bool moved_ GUARDED_BY(mutex_) = false;
  Device* device_ GUARDED_BY(mutex_) = nullptr;  ///< that the tile is counted for: the last of those that worked on it
  std::vector<std::uint32_t> far_ GUARDED_BY(mutex_);
};

}  // namespace

void compute_in_blocks(TileWork& tile, const BlockLimits& limits, const CallContext& context, Dispatch& dispatch) {
  TileInBlocks(tile, limits, context, dispatch).run();
}

}  // namespace tuile::compute::cuda
