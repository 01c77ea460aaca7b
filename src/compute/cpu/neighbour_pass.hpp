#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <vector>

#include "compute/cpu/batch.hpp"
#include "compute/cpu/kernels.hpp"
#include "compute/cpu/point_tree.hpp"
#include "tuile/compute/backend.hpp"

namespace tuile::compute {

/// Where the rows of a tile go, and how far its points are complete.
struct RowTarget {
  float* values = nullptr;
  std::size_t columns = 0;
  std::size_t rows = 0;  ///< core points: records with a smaller index have a row
};

/// Walks the tree group by group and writes every column that is made of neighbours.
class NeighbourPass {
 public:
  NeighbourPass(const TileInput& tile, const features::FeaturePlan& plan, const Kernels& kernels);

  /// Throws Cancelled, OutOfMemory.
  void run(const PointTree& tree, const RowTarget& target, Executor& executor, const std::stop_token& stop);

  std::uint64_t degenerate() const noexcept { return degenerate_; }
  std::uint64_t truncated() const noexcept { return truncated_; }

 private:
  struct Scale {
    Search search;
    std::vector<features::Feature> wanted;
    std::vector<std::size_t> columns;  ///< of the row, one per wanted feature
  };
  struct Worker;
  void group(Worker& worker, std::uint32_t node, const RowTarget& target) const;
  /// Distance from a point to the nearest edge of bounds + halo, units; negative outside.
  double edge_distance(const Record& record) const noexcept;

  const Kernels& kernels_;
  double scale_;
  std::vector<Scale> scales_;
  std::vector<std::size_t> count_columns_;  ///< of num_points_2m
  std::uint64_t count_limit_ = 0;
  bool has_edge_ = false;
  double min_x_ = 0, min_y_ = 0, max_x_ = 0, max_y_ = 0;  ///< bounds + halo, units relative to the block's origin
  std::atomic<std::uint64_t> degenerate_{0}, truncated_{0};
};

}  // namespace tuile::compute
