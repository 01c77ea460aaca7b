#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "compute/validity.hpp"
#include "tuile/core/buffer.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/point_block.hpp"

namespace tuile::compute {

/// A rectangle of the plane, units relative to the grid's origin; its edges belong to it, a side may be open.
struct Area {
  static constexpr std::int64_t open = std::numeric_limits<std::int64_t>::max();
  std::int64_t min_x = -open, min_y = -open, max_x = open, max_y = open;

  bool contains(std::int64_t x, std::int64_t y) const noexcept { return x >= min_x && x <= max_x && y >= min_y && y <= max_y; }
  /// Every side moved outwards by `reach`, and opened where nothing of `extent` lies beyond it.
  Area widened(std::int64_t reach, const Area& extent) const noexcept;
};

/// The valid points of a tile: those of its core, then those of its halo, each with its position in that sequence (invalid ones counted).
/// Runs of consecutive points have a box each, so that who looks for those in one place need not look at all the others: points
/// mostly come in the order of a scan.
class TilePoints {
 public:
  static constexpr std::size_t run_size = 4096;
  struct Run {
    GridPoint low, high;  ///< of the valid points
    const PointBlock* block;
    const std::uint8_t* valid;  ///< of `block`; null: all
    std::uint32_t begin, end;   ///< positions in `block`
    std::uint32_t first_index;  ///< of position 0 of `block`
  };

  /// The blocks and the marks must outlive the object, and the marks stay as they are.
  TilePoints(const PointBlock& core, const PointBlock* halo, const Validity& validity, Executor& executor);

  std::size_t size() const noexcept { return size_; }
  const Area& extent() const noexcept { return extent_; }
  /// Runs with at least one valid point.
  const std::vector<Run>& runs() const noexcept { return runs_; }
  /// A point, valid or not, by index.
  const GridPoint& point(std::uint32_t index) const noexcept {
    return index < core_->size() ? core_->units[index] : halo_->units[index - core_->size()];
  }

  /// Calls action(point, index) for the valid points of a run, in order.
  template <class Action>
  void for_each_of(const Run& run, Action&& action) const {
    for (std::uint32_t i = run.begin; i < run.end; ++i) {
      if (run.valid == nullptr || run.valid[i] != 0) action(run.block->units[i], run.first_index + i);
    }
  }

  /// make(point, index) of every valid point that `keep(point)`, of the runs that `look(run)`, in order.
  template <class T, class Look, class Keep, class Make>
  Buffer<T> gather(Look&& look, Keep&& keep, Make&& make, Executor& executor) const {
    std::vector<std::uint32_t> chosen;
    for (std::uint32_t r = 0; r < runs_.size(); ++r) {
      if (look(runs_[r])) chosen.push_back(r);
    }
    std::vector<std::size_t> starts(chosen.size() + 1, 0);
    const auto for_each_run = [&](auto&& action) {
      executor.for_each((chosen.size() + runs_per_task - 1) / runs_per_task, [&](std::size_t task) {
        const std::size_t end = std::min(chosen.size(), (task + 1) * runs_per_task);
        for (std::size_t c = task * runs_per_task; c < end; ++c) action(c, runs_[chosen[c]]);
      });
    };
    for_each_run([&](std::size_t c, const Run& run) {
      std::size_t count = 0;
      for_each_of(run, [&](const GridPoint& point, std::uint32_t) { count += keep(point) ? 1 : 0; });
      starts[c + 1] = count;
    });
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    Buffer<T> out(starts.back());
    for_each_run([&](std::size_t c, const Run& run) {
      std::size_t at = starts[c];
      for_each_of(run, [&](const GridPoint& point, std::uint32_t index) {
        if (keep(point)) out[at++] = make(point, index);
      });
    });
    return out;
  }

  /// The same of the points in an area.
  template <class T, class Make>
  Buffer<T> gather_in(const Area& area, Make&& make, Executor& executor) const {
    const auto look = [&](const Run& run) {
      return run.high.x >= area.min_x && run.low.x <= area.max_x && run.high.y >= area.min_y && run.low.y <= area.max_y;
    };
    return gather<T>(
        look, [&](const GridPoint& point) { return area.contains(point.x, point.y); }, make, executor);
  }

 private:
  static constexpr std::size_t runs_per_task = 16;
  const PointBlock* core_;
  const PointBlock* halo_;
  std::vector<Run> runs_;
  std::size_t size_ = 0;
  Area extent_{Area::open, Area::open, -Area::open, -Area::open};
};

/// A part of a tile that is searched by itself.
struct Block {
  Area own;    ///< the points whose rows it gives; the blocks' own areas are the whole plane
  Area given;  ///< the points searched
};

struct BlockWish {
  std::size_t most = 0;       ///< points that a block should be given at most
  std::int64_t reach = 0;     ///< units that every block is widened by: the largest radius searched within
  std::uint32_t nearest = 0;  ///< and by several times what so many neighbours take up where its points lie evenly, as far as `most` allows
};

/// Parts the plane at medians of x or y until a block, widened, has about the points wished for at most. It has more where points that lie
/// above each other, or the reach alone, leave no choice.
std::vector<Block> plan_blocks(const TilePoints& points, const BlockWish& wish);

}  // namespace tuile::compute
