#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "compute/surface_view.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::compute::cuda {

/// Memory that the arrays of a surface take, each at a multiple of 256 bytes.
std::size_t surface_bytes(const SurfaceView& surface);

/// Packs a surface's arrays into surface_bytes() at `packed`, and returns the surface as it is once these bytes are copied to device memory
/// at `memory`, 256-byte aligned.
SurfaceView pack_surface(const SurfaceView& host, std::byte* packed, std::byte* memory);

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
/// surface  on the device (pack_surface)
/// Queues work on `stream`. Throws DeviceError.
void fill_heights(const SurfaceView& surface, const HeightRows& rows, const features::FeaturePlan& plan, cudaStream_t stream);

}  // namespace tuile::compute::cuda
