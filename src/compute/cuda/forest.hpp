#pragma once

#include <cuda_runtime.h>

#include "compute/cuda/kernels.hpp"

namespace tuile::compute::cuda {

/// Drops the slots whose arrays.keep is 0; the others stay in their order, and the trees are made anew. Swaps arrays.slots.
void compact(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream);

}  // namespace tuile::compute::cuda
