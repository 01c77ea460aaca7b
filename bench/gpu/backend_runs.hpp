#pragma once

#include <vector>

#include "report.hpp"
#include "sizes.hpp"
#include "tuile/core/executor.hpp"

namespace tuile::gpu_check {

/// What the backend "cuda" makes of tiles in the host's memory: how busy the device is while tiles come one after the other, how often its
/// pool has memory at hand, what it takes beside what was planned, what batching small tiles gains, and the CPU backend's time for the
/// same.
std::vector<Row> measure_backend(const Sizes& sizes, Executor& executor);

}  // namespace tuile::gpu_check
