#include <cstddef>
#include <limits>

#include "compute/cuda/attributes.hpp"
#include "compute/cuda/launch.hpp"

namespace tuile::compute::cuda {
namespace {

using features::Feature;

constexpr int steps_per_launch = 64;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// A column that has something to be written.
struct Step {
  std::uint16_t column;
  std::uint8_t feature;
  bool missing;  ///< NaN in every row
  bool in_las;   ///< written whether the point is valid or not
};

struct Steps {
  Step step[steps_per_launch];
  int count;
};

struct Write {
  const Attributes& from;
  std::size_t row;
  float* to;
  template <Feature feature>
  __device__ void operator()() const {
    *to = attribute<feature>(from, row);
  }
};

/// One thread a row.
__global__ void __launch_bounds__(point_threads)
    fill(Attributes from, Steps steps, const std::uint8_t* valid, std::uint32_t rows, std::uint32_t columns, float* values) {
  const std::uint32_t row = blockIdx.x * point_threads + threadIdx.x;
  if (row >= rows) return;
  const bool keep = valid == nullptr || valid[row] != 0;
  const unsigned known = from.colour_known == nullptr ? 255U : from.colour_known[row];
  for (int s = 0; s < steps.count; ++s) {
    const Step step = steps.step[s];
    const auto feature = static_cast<Feature>(step.feature);
    float* const to = values + std::size_t{row} * columns + step.column;
    const unsigned needed = needed_colours(feature);
    if (step.missing || (known & needed) != needed || (!keep && !step.in_las)) {
      *to = nan;
    } else {
      with_attribute(feature, Write{from, row, to});
    }
  }
}

}  // namespace

void fill_attributes(const Attributes& from, const features::FeaturePlan& plan, const std::uint8_t* valid, std::uint32_t rows,
                     float* values, cudaStream_t stream) {
  const auto columns = static_cast<std::uint32_t>(plan.columns.size());
  Steps steps{};
  const auto take = [&] {
    if (steps.count > 0) launch(stream, rows, point_threads, "filling attributes", fill, from, steps, valid, rows, columns, values);
    steps.count = 0;
  };
  for (std::uint32_t c = 0; c < columns; ++c) {
    const Feature feature = plan.columns[c].feature;
    const bool missing = !has_input(from, feature), in_las = features::info(feature).las_dimension;
    if (!missing && !is_attribute(feature) && (valid == nullptr || in_las)) continue;
    steps.step[steps.count++] = {static_cast<std::uint16_t>(c), static_cast<std::uint8_t>(feature), missing, in_las};
    if (steps.count == steps_per_launch) take();
  }
  take();
}

}  // namespace tuile::compute::cuda
