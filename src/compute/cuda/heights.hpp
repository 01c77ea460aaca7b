#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "compute/surface_view.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::compute::cuda {

/// Device memory that the arrays of a surface take: 256 bytes aligned, as upload_surface needs it.
std::size_t surface_bytes(const SurfaceView& surface);

/// Queues the copy of a surface's arrays to surface_bytes() of device memory at `memory`, 256-byte aligned, and returns the surface there.
/// `host` must live until the stream has done it. Throws DeviceError.
SurfaceView upload_surface(const SurfaceView& host, void* memory, cudaStream_t stream);

/// The points that heights are asked for, and where they go.
struct HeightRows {
  const GridPoint* units = nullptr;     ///< device: point i has row i
  const std::uint8_t* valid = nullptr;  ///< device, one per row; null: all are
  std::uint32_t rows = 0;
  double scale = 0.01;      ///< metres per unit
  float* values = nullptr;  ///< device, rows × plan.columns.size()
};

/// Fills height_above_ground, and makes facade_score of what the search left in its columns, with the same bits as the CPU. NaN where there
/// is no ground at all and in rows that are not valid.
/// surface  on the device (upload_surface)
/// Queues work on `stream`. Throws DeviceError.
void fill_heights(const SurfaceView& surface, const HeightRows& rows, const features::FeaturePlan& plan, cudaStream_t stream);

}  // namespace tuile::compute::cuda
