#include <cstring>
#include <limits>
#include <type_traits>

#include "compute/cuda/heights.hpp"
#include "compute/cuda/launch.hpp"

namespace tuile::compute::cuda {
namespace {

using features::Feature;

constexpr int facades_per_launch = 8;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t alignment = 256;

constexpr std::size_t aligned(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

std::size_t point_bytes(const SurfaceView& s) { return static_cast<std::size_t>(s.mesh.point_count) * sizeof(GridPoint); }
std::size_t triangle_bytes(const SurfaceView& s) { return static_cast<std::size_t>(s.mesh.triangle_count) * sizeof(MeshTriangle); }
std::size_t hint_bytes(const SurfaceView& s) {
  return static_cast<std::size_t>(s.hint_columns) * static_cast<std::size_t>(s.hint_rows) * sizeof(std::int32_t);
}

struct HeightColumns {
  std::uint32_t columns;  ///< of a row
  std::int32_t height;    ///< -1: none
  int facade_count;
  std::uint16_t facade[facades_per_launch];
};

/// One thread a row. Rows near each other mostly are points near each other, so a warp's walks stay together.
__global__ void __launch_bounds__(search_threads) fill(SurfaceView ground, HeightRows given, HeightColumns columns) {
  const std::uint32_t i = blockIdx.x * search_threads + threadIdx.x;
  if (i >= given.rows) return;
  float* const row = given.values + std::size_t{i} * columns.columns;
  if (ground.mesh.point_count == 0 || (given.valid != nullptr && given.valid[i] == 0)) {
    if (columns.height >= 0) row[columns.height] = nan;
    for (int c = 0; c < facades_per_launch; ++c) {
      if (c < columns.facade_count) row[columns.facade[c]] = nan;
    }
    return;
  }
  const GridPoint at = given.units[i];
  std::int32_t triangle = -1;
  const double height = (at.z - surface_height(ground, at.x, at.y, triangle)) * given.scale;
  if (columns.height >= 0) row[columns.height] = static_cast<float>(height);
  for (int c = 0; c < facades_per_launch; ++c) {  // a constant count, so that the list stays among the kernel's parameters
    if (c < columns.facade_count) {
      float& score = row[columns.facade[c]];
      score = static_cast<float>(features::facade_score(score, height));
    }
  }
}

}  // namespace

std::size_t surface_bytes(const SurfaceView& surface) {
  return aligned(point_bytes(surface)) + aligned(triangle_bytes(surface)) + aligned(hint_bytes(surface));
}

SurfaceView pack_surface(const SurfaceView& host, std::byte* packed, std::byte* memory) {
  SurfaceView device = host;
  std::size_t at = 0;
  const auto copy = [&](auto*& array, std::size_t bytes) {
    if (bytes == 0) {
      array = nullptr;
      return;
    }
    std::memcpy(packed + at, array, bytes);
    array = reinterpret_cast<std::remove_reference_t<decltype(array)>>(memory + at);
    at += aligned(bytes);
  };
  copy(device.mesh.points, point_bytes(host));
  copy(device.mesh.triangles, triangle_bytes(host));
  copy(device.hints, hint_bytes(host));
  return device;
}

void fill_heights(const SurfaceView& surface, const HeightRows& rows, const features::FeaturePlan& plan, cudaStream_t stream) {
  HeightColumns columns{static_cast<std::uint32_t>(plan.columns.size()), -1, 0, {}};
  const auto take = [&] {
    if (columns.height >= 0 || columns.facade_count > 0) {
      launch(stream, rows.rows, search_threads, "finding heights", fill, surface, rows, columns);
    }
    columns.height = -1;
    columns.facade_count = 0;
  };
  for (std::size_t c = 0; c < plan.columns.size(); ++c) {
    if (plan.columns[c].feature == Feature::height_above_ground) columns.height = static_cast<std::int32_t>(c);
    if (plan.columns[c].feature != Feature::facade_score) continue;
    columns.facade[columns.facade_count++] = static_cast<std::uint16_t>(c);
    if (columns.facade_count == facades_per_launch) take();
  }
  take();
}

}  // namespace tuile::compute::cuda
