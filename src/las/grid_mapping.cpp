#include "las/grid_mapping.hpp"

#include <algorithm>
#include <string>

#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

constexpr double max_units = 4e18;         // below 2^62: sums of two such values stay in int64
constexpr double factor_tolerance = 1e-9;  // relative: scales are written as decimals
constexpr double offset_tolerance = 1e-4;  // units

}  // namespace

AxisMapping::AxisMapping(double file_scale, double file_offset, double unit, double grid_scale, std::int64_t origin)
    : origin_(origin), ratio_(file_scale * unit / grid_scale), offset_(file_offset * unit / grid_scale) {
  // 2^31 file units away from the offset is as far as a record can say.
  if (!(ratio_ * 2147483648.0 + std::abs(offset_) + std::abs(static_cast<double>(origin)) < max_units)) {
    throw Unsupported("a scale of " + std::to_string(file_scale) + " and an offset of " + std::to_string(file_offset) +
                      " cannot be put on a grid of " + std::to_string(grid_scale) +
                      " m; rewrite the file with equal scales on the three axes");
  }
  factor_ = std::llround(ratio_);
  const std::int64_t nearest = std::llround(offset_);
  exact_ = factor_ >= 1 && std::abs(ratio_ - static_cast<double>(factor_)) <= factor_tolerance * ratio_ &&
           std::abs(offset_ - static_cast<double>(nearest)) <= offset_tolerance;
  shift_ = nearest - origin;
}

GridMapping::GridMapping(const FileInfo& info) : grid(info.grid()) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const double unit = axis == 2 ? info.crs.vertical_unit : info.crs.horizontal_unit;
    axes[axis] = AxisMapping(info.header.scale[axis], info.header.offset[axis], unit, grid.scale, grid.origin[axis]);
  }
}

GridBox::GridBox(const Bounds& metres, const Grid& grid) {
  const GridBounds box = units_inside(metres, grid.scale);
  min_x = box.min_x - grid.origin[0];
  min_y = box.min_y - grid.origin[1];
  max_x = box.max_x - grid.origin[0];
  max_y = box.max_y - grid.origin[1];
}

}  // namespace tuile::las
