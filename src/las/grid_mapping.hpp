#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "tuile/core/bounds.hpp"
#include "tuile/las/file_info.hpp"

namespace tuile::las {

/// From a file's integer coordinates on one axis to units of the block's grid, relative to its origin.
class AxisMapping {
 public:
  AxisMapping() = default;
  /// Throws Unsupported where 32-bit coordinates could leave the range of 64-bit units.
  AxisMapping(double file_scale, double file_offset, double unit, double grid_scale, std::int64_t origin);

  /// True where the file's coordinates all lie on the grid: then the mapping is pure integer arithmetic.
  bool exact() const noexcept { return exact_; }
  std::int64_t operator()(std::int32_t value) const noexcept {
    if (exact_) return value * factor_ + shift_;
    return std::llround(value * ratio_ + offset_) - origin_;
  }

 private:
  bool exact_ = true;
  std::int64_t factor_ = 1, shift_ = 0, origin_ = 0;
  double ratio_ = 1, offset_ = 0;
};

/// The three axes of a file onto info.grid().
struct GridMapping {
  explicit GridMapping(const FileInfo& info);
  Grid grid;
  std::array<AxisMapping, 3> axes;
  bool exact() const noexcept { return axes[0].exact() && axes[1].exact() && axes[2].exact(); }
};

/// The points of the closed box, in units relative to the grid's origin.
struct GridBox {
  std::int64_t min_x, min_y, max_x, max_y;
  GridBox(const Bounds& metres, const Grid& grid);
  bool contains(std::int64_t x, std::int64_t y) const noexcept { return x >= min_x && x <= max_x && y >= min_y && y <= max_y; }
};

}  // namespace tuile::las
