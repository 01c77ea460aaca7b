#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "tuile/compute/backend.hpp"

namespace tuile::gpu_check {

struct LargeCase {
  std::string name;
  /// What differs between the two; empty: nothing.
  std::function<std::string(compute::Backend& cpu, compute::Backend& cuda)> compare;
};

/// Towns of so many points.
std::vector<LargeCase> large_cases(std::size_t points);

}  // namespace tuile::gpu_check
