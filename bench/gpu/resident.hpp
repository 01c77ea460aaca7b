#pragma once

#include <vector>

#include "report.hpp"
#include "sizes.hpp"

namespace tuile::gpu_check {

/// lod2, k = 20, of one tile whose points and ground surface lie on the device, rows left there: the whole by the device's clock, and each
/// phase with the share that it reaches of the bandwidth that a copy has, counting its inputs and outputs once.
/// copy_bandwidth: bytes per second
std::vector<Row> measure_resident(const Sizes& sizes, double copy_bandwidth);

}  // namespace tuile::gpu_check
