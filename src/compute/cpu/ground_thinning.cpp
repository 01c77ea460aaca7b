#include "compute/cpu/ground_thinning.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
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

struct Extent {
  std::size_t points = 0;
  GridPoint low{}, high{};
};

Extent extent_of(const GroundPoints& points) {
  Extent extent;
  points([&](std::span<const GridPoint> run) {
    if (extent.points == 0 && !run.empty()) extent.low = extent.high = run[0];
    extent.points += run.size();
    for (const GridPoint& point : run) {
      extent.low.x = std::min(extent.low.x, point.x);
      extent.low.y = std::min(extent.low.y, point.y);
      extent.high.x = std::max(extent.high.x, point.x);
      extent.high.y = std::max(extent.high.y, point.y);
    }
  });
  return extent;
}

}  // namespace

std::vector<GridPoint> lowest_per_cell(const GroundPoints& points, const Grid& grid) {
  const Extent extent = extent_of(points);
  if (extent.points == 0) return {};
  const CellAxis columns(grid.origin[0], extent.low.x, grid.scale), rows(grid.origin[1], extent.low.y, grid.scale);
  const std::int64_t width = columns.cell(extent.high.x) + 1, height = rows.cell(extent.high.y) + 1;

  // A table of all cells where it is not much larger than the points themselves, else sorting.
  const auto table_limit = static_cast<std::int64_t>(std::max<std::size_t>(extent.points * 4, std::size_t{1} << 16));
  if (width <= table_limit / height) {
    std::vector<GridPoint> best(static_cast<std::size_t>(width * height));
    std::vector<bool> taken(best.size());
    points([&](std::span<const GridPoint> run) {
      for (const GridPoint& point : run) {
        const auto cell = static_cast<std::size_t>(rows.cell(point.y) * width + columns.cell(point.x));
        if (taken[cell] && !lower(point, best[cell])) continue;
        best[cell] = point;
        taken[cell] = true;
      }
    });
    std::size_t kept = 0;
    for (std::size_t cell = 0; cell < best.size(); ++cell) {
      if (taken[cell]) best[kept++] = best[cell];
    }
    best.resize(kept);
    if (kept < best.capacity() / 2) best.shrink_to_fit();
    return best;
  }

  std::vector<GridPoint> kept;
  kept.reserve(extent.points);
  points([&](std::span<const GridPoint> run) { kept.insert(kept.end(), run.begin(), run.end()); });
  const auto same_cell = [&](const GridPoint& a, const GridPoint& b) {
    return rows.cell(a.y) == rows.cell(b.y) && columns.cell(a.x) == columns.cell(b.x);
  };
  std::sort(kept.begin(), kept.end(), [&](const GridPoint& a, const GridPoint& b) {
    const std::int64_t row_a = rows.cell(a.y), row_b = rows.cell(b.y);
    if (row_a != row_b) return row_a < row_b;
    const std::int64_t column_a = columns.cell(a.x), column_b = columns.cell(b.x);
    return column_a != column_b ? column_a < column_b : lower(a, b);
  });
  kept.erase(std::unique(kept.begin(), kept.end(), same_cell), kept.end());
  return kept;
}

std::vector<GridPoint> lowest_per_cell(std::span<const GridPoint> points, const Grid& grid) {
  return lowest_per_cell([points](const TakePoints& take) { take(points); }, grid);
}

}  // namespace tuile::compute
