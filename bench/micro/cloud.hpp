#pragma once

#include <vector>

#include "compute/cpu/kernels.hpp"
#include "compute/cpu/point_tree.hpp"
#include "tuile/core/point_block.hpp"

namespace tuile::micro {

/// A stretch of town: ground with a slope, roofs, and crowns in the air. Always the same points, on a grid of 1 cm.
std::vector<compute::cpu::Record> town_records(std::size_t count);

/// One version of the kernels.
struct Version {
  const char* name;
  const compute::cpu::Kernels* kernels;
};
/// Those that this processor can run.
std::vector<Version> versions();

}  // namespace tuile::micro
