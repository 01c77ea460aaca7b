#include "compute/cpu/tree_walk.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "compute/far_rows.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/core/error.hpp"

namespace tuile::compute::cpu {

namespace {

/// Smaller blocks would be made of little but what they share with their neighbours.
constexpr std::uint64_t smallest_block = 1024;

class Walk {
 public:
  Walk(const TilePoints& points, const WalkWish& wish, TreeVisitor& visitor, Executor& executor, const std::stop_token& stop)
      : points_(points), wish_(wish), visitor_(visitor), executor_(executor), stop_(stop) {}

  void run() {
    const std::vector<Block> blocks = plan();
    visitor_.begin([&] {
      if (!blocks.empty()) search(blocks.front());
    });
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      if (b > 0) search(blocks[b]);
      visitor_.finish(*tree_);
    }
    tree_.reset();
    search_far();
  }

 private:
  std::vector<Block> plan() const {
    if (points_.size() == 0) return {};
    if (wish_.most == 0) return {Block{}};
    return plan_blocks(points_,
                       {.most = wish_.most, .reach = static_cast<std::int64_t>(wish_.reach.radius) + 1, .nearest = wish_.reach.nearest});
  }

  /// Records without a row in this search carry an index that is nobody's row.
  std::uint32_t no_row() const { return wish_.rows; }

  void search(const Block& block) {
    if (stop_.stop_requested()) throw Cancelled("stopped while looking for neighbours");
    tree_.reset();  // its memory is the next one's
    Buffer<Record> records = points_.gather_in<Record>(
        block.given,
        [&](const GridPoint& p, std::uint32_t index) {
          return Record{p.x, p.y, p.z, block.own.contains(p.x, p.y) && index < no_row() ? index : no_row()};
        },
        executor_);
    tree_.emplace(std::move(records), executor_, stop_);
    const std::vector<std::uint32_t> unfinished = visitor_.search(*tree_, block.given);
    far_.insert(far_.end(), unfinished.begin(), unfinished.end());
  }

  void search_far() {
    const std::size_t share = std::max<std::size_t>(wish_.most / static_cast<std::size_t>(executor_.threads()), smallest_block);
    const std::vector<FarGroup> groups = group_far_rows(
        points_, std::move(far_), {.most = share, .reach = wish_.reach.radius, .nearest = wish_.reach.nearest}, executor_, stop_);
    executor_.for_each(groups.size(), [&](std::size_t g) {
      if (stop_.stop_requested()) throw Cancelled("stopped while looking for neighbours");
      const FarGroup& group = groups[g];
      Buffer<Record> records = points_.gather<Record>([&](const TilePoints::Run& run) { return group.touches(run); },
                                                      [&](const GridPoint& p) { return group.holds(p); },
                                                      [&](const GridPoint& p, std::uint32_t index) {
                                                        const bool is_row = std::binary_search(group.rows.begin(), group.rows.end(), index);
                                                        return Record{p.x, p.y, p.z, is_row ? index : no_row()};
                                                      },
                                                      executor_);
      const PointTree tree(std::move(records), executor_, stop_);
      visitor_.search(tree, {});
      visitor_.finish(tree);
    });
  }

  const TilePoints& points_;
  const WalkWish& wish_;
  TreeVisitor& visitor_;
  Executor& executor_;
  const std::stop_token& stop_;
  std::optional<PointTree> tree_;
  std::vector<std::uint32_t> far_;
};

}  // namespace

std::size_t points_at_once(std::size_t points, std::uint64_t memory, std::uint64_t beside, std::uint64_t held) {
  if (memory == 0 || points * search_bytes_per_point + beside + held <= memory) return 0;
  // Where what cannot be parted is too much by itself, that cannot be helped, and small blocks would only take time.
  const std::uint64_t left = std::max(memory - std::min(beside + held, memory), memory / 4);
  return static_cast<std::size_t>(std::max(left / search_bytes_per_point, smallest_block));
}

void walk_trees(const TilePoints& points, const WalkWish& wish, TreeVisitor& visitor, Executor& executor, const std::stop_token& stop) {
  Walk(points, wish, visitor, executor, stop).run();
}

}  // namespace tuile::compute::cpu
