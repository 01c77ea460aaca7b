#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "features/formulas.hpp"

namespace tuile::compute {

/// Cells along one axis. The cell of an absolute coordinate c in units: floor(c · scale / size), so cells are anchored at coordinate 0 and
/// neighbouring tiles agree on them. Exact integer division where size / scale is whole. Plain data, for kernels too.
struct CellAxis {
  bool whole;               ///< a cell is so many units
  std::int64_t origin;      ///< units, absolute, of coordinate 0 of the block
  double cells_per_unit;    ///< where not whole …
  double first;             ///< … and the cell counted as 0
  std::int64_t size, base;  ///< where whole: units per cell, and the coordinate, relative to the block's, where cell 0 begins
  double inverse;           ///< 1 / size
};

/// Cells are counted from the one that holds `smallest`.
/// origin  absolute units that the block's coordinates are relative to;  scale, size  metres per unit and per cell
inline CellAxis cell_axis(std::int64_t origin, std::int32_t smallest, double scale, double size) {
  CellAxis axis{false, origin, scale / size, 0, 1, 0, 1};
  // In cells smaller than a unit every place is one of its own.
  const double units_per_cell = std::max(1.0, std::round(size / scale));
  axis.whole = size <= scale || std::abs(size / scale - units_per_cell) <= 1e-9 * units_per_cell;
  axis.whole = axis.whole && units_per_cell < 0x1p31;
  if (axis.whole) {
    axis.size = static_cast<std::int64_t>(units_per_cell);
    axis.inverse = 1.0 / units_per_cell;
    const std::int64_t into_cell = ((origin + smallest) % axis.size + axis.size) % axis.size;
    axis.base = smallest - into_cell;
  } else {
    axis.first = std::floor(static_cast<double>(origin + smallest) * axis.cells_per_unit);
  }
  return axis;
}

/// unit  relative to the block's origin
TUILE_HD std::int64_t cell_of(const CellAxis& axis, std::int32_t unit) {
  if (!axis.whole) return static_cast<std::int64_t>(std::floor(static_cast<double>(axis.origin + unit) * axis.cells_per_unit) - axis.first);
  // Division by multiplication, put right where rounding crossed a boundary.
  const std::int64_t offset = unit - axis.base;
  const std::int64_t quotient = static_cast<std::int64_t>(static_cast<double>(offset) * axis.inverse);
  const std::int64_t remainder = offset - quotient * axis.size;
  return quotient + (remainder >= axis.size ? 1 : 0) - (remainder < 0 ? 1 : 0);
}

}  // namespace tuile::compute
