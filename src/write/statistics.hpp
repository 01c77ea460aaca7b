#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tuile/core/executor.hpp"
#include "tuile/core/feature_block.hpp"

namespace tuile::write {

/// Of one column. NaN values are counted and left out; min, mean and max are NaN where no value is left.
struct FeatureStatistics {
  std::string name;
  double min = std::numeric_limits<double>::quiet_NaN();
  double mean = std::numeric_limits<double>::quiet_NaN();
  double max = std::numeric_limits<double>::quiet_NaN();
  std::uint64_t nan = 0;
};

/// One entry per column of `block`. The same bits whatever the number of threads (sums in double over fixed chunks of rows, joined in
/// order).
std::vector<FeatureStatistics> compute_statistics(const FeatureBlock& block, Executor& executor);

}  // namespace tuile::write
