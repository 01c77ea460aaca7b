#include "compute/host/ground_thinning.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <tuple>

#include "compute/cells.hpp"
#include "compute/host/large_pages.hpp"
#include "tuile/core/buffer.hpp"

namespace tuile::compute {
namespace {

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
  const CellAxis columns = cell_axis(grid.origin[0], extent.low.x, grid.scale, ground_cell);
  const CellAxis rows = cell_axis(grid.origin[1], extent.low.y, grid.scale, ground_cell);
  const std::int64_t width = cell_of(columns, extent.high.x) + 1, height = cell_of(rows, extent.high.y) + 1;

  // A table of all cells where it is not much larger than the points themselves, else sorting.
  const auto table_limit = static_cast<std::int64_t>(std::max<std::size_t>(extent.points * 4, std::size_t{1} << 16));
  if (width <= table_limit / height) {
    Buffer<GridPoint> best(static_cast<std::size_t>(width * height));  // of the cells that are taken; the others are not written
    prefer_large_pages(best.data(), best.bytes());
    std::vector<std::uint64_t> taken(best.size() / 64 + 1);  // a bit per cell
    std::size_t count = 0;
    points([&](std::span<const GridPoint> run) {
      for (const GridPoint& point : run) {
        const auto cell = static_cast<std::size_t>(cell_of(rows, point.y) * width + cell_of(columns, point.x));
        std::uint64_t& word = taken[cell / 64];
        const std::uint64_t bit = std::uint64_t{1} << (cell % 64);
        if ((word & bit) != 0 && !lower(point, best[cell])) continue;
        count += (word & bit) == 0 ? 1 : 0;
        best[cell] = point;
        word |= bit;
      }
    });
    std::vector<GridPoint> kept;
    kept.reserve(count);
    for (std::size_t word = 0; word < taken.size(); ++word) {
      for (std::uint64_t bits = taken[word]; bits != 0; bits &= bits - 1) {
        kept.push_back(best[word * 64 + static_cast<std::size_t>(std::countr_zero(bits))]);
      }
    }
    return kept;
  }

  std::vector<GridPoint> kept;
  kept.reserve(extent.points);
  points([&](std::span<const GridPoint> run) { kept.insert(kept.end(), run.begin(), run.end()); });
  const auto same_cell = [&](const GridPoint& a, const GridPoint& b) {
    return cell_of(rows, a.y) == cell_of(rows, b.y) && cell_of(columns, a.x) == cell_of(columns, b.x);
  };
  std::sort(kept.begin(), kept.end(), [&](const GridPoint& a, const GridPoint& b) {
    const std::int64_t row_a = cell_of(rows, a.y), row_b = cell_of(rows, b.y);
    if (row_a != row_b) return row_a < row_b;
    const std::int64_t column_a = cell_of(columns, a.x), column_b = cell_of(columns, b.x);
    return column_a != column_b ? column_a < column_b : lower(a, b);
  });
  kept.erase(std::unique(kept.begin(), kept.end(), same_cell), kept.end());
  return kept;
}

std::vector<GridPoint> lowest_per_cell(std::span<const GridPoint> points, const Grid& grid) {
  return lowest_per_cell([points](const TakePoints& take) { take(points); }, grid);
}

}  // namespace tuile::compute
