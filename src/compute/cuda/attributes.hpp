#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "compute/attribute_values.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::compute::cuda {

/// compute::fill_attributes on the device, with the same bits: the columns of the points' own records, and NaN in all others of points that
/// are not valid and in those that lack their input. It must come before what fills the others.
/// from    device pointers, null exactly where the block's own array is empty (attributes_of)
/// valid   device, one per row, or null where all are
/// values  device, rows × plan.columns.size()
/// Queues work on `stream`. Throws DeviceError.
void fill_attributes(const Attributes& from, const features::FeaturePlan& plan, const std::uint8_t* valid, std::uint32_t rows,
                     float* values, cudaStream_t stream);

}  // namespace tuile::compute::cuda
