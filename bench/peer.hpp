#pragma once

#include <array>
#include <memory>
#include <vector>

#include "tuile/core/executor.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::bench {

/// What a good C++ user would write with nanoflann and Eigen: the baseline of trees and features.
class Peer {
 public:
  explicit Peer(const PointBlock& points);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  std::size_t size() const noexcept;
  /// Threads that nanoflann's build can use: one before its version 1.5.
  static int build_threads(int wanted) noexcept;
  /// Builds the index (leaves of 16 points) and drops it.
  void build(int threads) const;
  /// normal_z, planarity, linearity and verticality of every point, index construction included. (N,4) float32
  std::vector<float> features(const features::Neighbourhood& neighbourhood, Executor& executor) const;

 private:
  struct Cloud;
  std::unique_ptr<Cloud> cloud_;
};

}  // namespace tuile::bench
