#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
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
  /// Leaves the columns whose position `wanted(column)` holds for, in place.
  template <class Wanted>
  void keep_columns(Wanted&& wanted) {
    std::vector<std::size_t> kept;
    std::vector<std::string> left;
    for (std::size_t c = 0; c < columns(); ++c) {
      if (!wanted(c)) continue;
      kept.push_back(c);
      left.push_back(names[c]);
    }
    const std::size_t width = columns();
    if (kept.size() == width) return;
    float* const all = values.data();  // every value moves towards the front
    for (std::size_t i = 0; i < points; ++i) {
      for (std::size_t c = 0; c < kept.size(); ++c) all[i * kept.size() + c] = all[i * width + kept[c]];
    }
    values.shrink(points * kept.size());
    names = std::move(left);
  }
};

}  // namespace tuile
