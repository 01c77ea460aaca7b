#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "tuile/core/buffer.hpp"

namespace tuile {

/// Per-point float32 features, row-major (points, columns): row i belongs to point i of the block it was computed from.
struct FeatureBlock {
  std::vector<std::string> names;  ///< one per column
  std::size_t points = 0;
  Buffer<float> values;  ///< points × names.size()

  std::size_t columns() const noexcept { return names.size(); }
  std::size_t bytes() const noexcept { return values.bytes(); }
  std::span<const float> row(std::size_t i) const noexcept { return {values.data() + i * columns(), columns()}; }
  float at(std::size_t point, std::size_t column) const noexcept { return values[point * columns() + column]; }
};

}  // namespace tuile
