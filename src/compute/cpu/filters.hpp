#pragma once

#include "compute/cpu/kernels.hpp"
#include "compute/host_filter.hpp"

namespace tuile::compute::cpu {

/// Preprocessing as HostFilter says, with these kernels.
Marks preprocess(const FilterWork& work, const Kernels& kernels, TileOutput::Removed& removed);

/// The same with the best kernels for this processor: the filter that other backends are given.
Marks filter_on_host(const FilterWork& work, TileOutput::Removed& removed);

}  // namespace tuile::compute::cpu
