#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <utility>
#include <vector>

#include "compute/blocks.hpp"
#include "compute/cpu/batch.hpp"
#include "compute/cpu/groups.hpp"
#include "compute/cpu/kernels.hpp"
#include "compute/cpu/point_tree.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::compute::cpu {

/// Where the rows of a tile go.
struct RowTarget {
  float* values = nullptr;
  std::size_t columns = 0;
  std::size_t rows = 0;  ///< core points: records with a smaller index have a row
};

/// Walks the tree group by group and writes every column that is made of neighbours.
class NeighbourPass {
 public:
  /// given: what the tree holds the points of, where there may be more outside.
  NeighbourPass(const TileInput& tile, const features::FeaturePlan& plan, const Kernels& kernels, const Area& given = {});

  /// Throws Cancelled, OutOfMemory.
  void run(const PointTree& tree, const RowTarget& target, Executor& executor, const std::stop_token& stop);

  std::uint64_t degenerate() const noexcept { return degenerate_; }
  std::uint64_t truncated() const noexcept { return truncated_; }
  /// Rows whose neighbourhoods may reach beyond `given`: their values are not right yet, and they are in none of the counts.
  std::vector<std::uint32_t> take_unfinished() {
    const MutexLock lock(mutex_);
    return std::move(unfinished_);
  }

 private:
  struct Scale {
    Search search;
    std::vector<features::Feature> wanted;
    std::vector<std::size_t> columns;  ///< of the row, one per wanted feature
  };
  struct Worker;
  void group(Worker& worker, const Group& at, const RowTarget& target) const;

  const Kernels& kernels_;
  double scale_;
  std::vector<Scale> scales_;
  std::vector<std::size_t> count_columns_;  ///< of num_points_2m
  std::uint64_t count_limit_ = 0;
  Edges edges_;  ///< of bounds + halo
  Edges given_;  ///< of what is given
  std::atomic<std::uint64_t> degenerate_{0}, truncated_{0};
  Mutex mutex_;
  std::vector<std::uint32_t> unfinished_ GUARDED_BY(mutex_);
};

}  // namespace tuile::compute::cpu
