#pragma once

#include "tuile/core/executor.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::bench {

/// Medians over alternating runs on the same points, trees' construction included.
struct FeatureBenchResult {
  double baseline_seconds = 0;  ///< nanoflann + Eigen, the same threads
  double seconds = 0;           ///< tuile's cpu backend
  int runs = 0;                 ///< of each
  double ratio() const noexcept { return seconds > 0 ? baseline_seconds / seconds : 0; }
};

/// normal_z, planarity, linearity and verticality of every point, by tuile and by nanoflann 1.4 + Eigen as a C++ user would write it.
/// runs  of each, alternating; at least 1. Throws InvalidArgument for fewer, or for a block without points.
FeatureBenchResult bench_features(const PointBlock& points, const features::Neighbourhood& neighbourhood, Executor& executor, int runs);

}  // namespace tuile::bench
