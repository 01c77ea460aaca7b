#include "compute/cpu/ground_thinning.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <tuple>

namespace tuile::compute {
namespace {

/// Cells along one axis, counted from the cell of the smallest coordinate.
class CellAxis {
 public:
  CellAxis(std::int64_t origin, std::int32_t smallest, double scale) : origin_(origin), cells_per_unit_(scale / ground_cell) {
    const double units_per_cell = std::round(ground_cell / scale);
    whole_ = units_per_cell >= 1 && std::abs(ground_cell / scale - units_per_cell) <= 1e-9 * units_per_cell && units_per_cell < 0x1p31;
    if (whole_) {
      size_ = static_cast<std::int64_t>(units_per_cell);
      inverse_ = 1.0 / units_per_cell;
      const std::int64_t absolute = origin + smallest;
      const std::int64_t into_cell = (absolute % size_ + size_) % size_;
      base_ = smallest - into_cell;
    } else {
      first_ = std::floor(static_cast<double>(origin + smallest) * cells_per_unit_);
    }
  }

  std::int64_t cell(std::int32_t unit) const noexcept {
    if (!whole_) return static_cast<std::int64_t>(std::floor(static_cast<double>(origin_ + unit) * cells_per_unit_) - first_);
    // Division by multiplication, put right where rounding crossed a boundary.
    const std::int64_t offset = unit - base_;
    std::int64_t quotient = static_cast<std::int64_t>(static_cast<double>(offset) * inverse_);
    const std::int64_t remainder = offset - quotient * size_;
    quotient += (remainder >= size_) - (remainder < 0);
    return quotient;
  }

 private:
  std::int64_t origin_;
  double cells_per_unit_;
  bool whole_ = false;
  std::int64_t size_ = 1, base_ = 0;
  double inverse_ = 1, first_ = 0;
};

bool lower(const GridPoint& a, const GridPoint& b) noexcept { return std::tie(a.z, a.x, a.y) < std::tie(b.z, b.x, b.y); }

}  // namespace

std::vector<GridPoint> lowest_per_cell(std::span<const GridPoint> points, const Grid& grid) {
  if (points.empty()) return {};
  GridPoint low = points[0], high = points[0];
  for (const GridPoint& point : points) {
    low.x = std::min(low.x, point.x);
    low.y = std::min(low.y, point.y);
    high.x = std::max(high.x, point.x);
    high.y = std::max(high.y, point.y);
  }
  const CellAxis columns(grid.origin[0], low.x, grid.scale), rows(grid.origin[1], low.y, grid.scale);
  const std::int64_t width = columns.cell(high.x) + 1, height = rows.cell(high.y) + 1;

  std::vector<GridPoint> kept;
  // A table of all cells where it is not much larger than the points themselves, else sorting.
  const auto table_limit = static_cast<std::int64_t>(std::max<std::size_t>(points.size() * 8, std::size_t{1} << 16));
  if (points.size() < std::numeric_limits<std::int32_t>::max() && width <= table_limit / height) {
    std::vector<std::int32_t> best(static_cast<std::size_t>(width * height), -1);
    for (std::size_t i = 0; i < points.size(); ++i) {
      std::int32_t& slot = best[static_cast<std::size_t>(rows.cell(points[i].y) * width + columns.cell(points[i].x))];
      if (slot < 0 || lower(points[i], points[static_cast<std::size_t>(slot)])) slot = static_cast<std::int32_t>(i);
    }
    kept.reserve(std::min(points.size(), best.size()));
    for (const std::int32_t i : best) {
      if (i >= 0) kept.push_back(points[static_cast<std::size_t>(i)]);
    }
    return kept;
  }

  struct Entry {
    std::int64_t row, column;
    GridPoint point;
  };
  std::vector<Entry> entries;
  entries.reserve(points.size());
  for (const GridPoint& point : points) entries.push_back({rows.cell(point.y), columns.cell(point.x), point});
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.row, a.column, a.point.z, a.point.x, a.point.y) < std::tie(b.row, b.column, b.point.z, b.point.x, b.point.y);
  });
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i == 0 || entries[i].row != entries[i - 1].row || entries[i].column != entries[i - 1].column) kept.push_back(entries[i].point);
  }
  return kept;
}

}  // namespace tuile::compute
