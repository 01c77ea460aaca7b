#pragma once

#include <algorithm>
#include <cmath>
#include <utility>

#include "label/orientation.hpp"
#include "tuile/core/bounds.hpp"

namespace tuile::label {

/// Square cells over a box. Columns and rows never decrease as coordinates grow, rounding included: whatever lies between two places lies
/// between their cells.
class CellGrid {
 public:
  CellGrid() = default;
  /// side  metres
  CellGrid(const Bounds& box, double side)
      : box_(box),
        side_(side),
        per_metre_(1 / side),
        margin_x_(1e-6 * side + 1e-14 * std::max(std::abs(box.min_x), std::abs(box.max_x))),
        margin_y_(1e-6 * side + 1e-14 * std::max(std::abs(box.min_y), std::abs(box.max_y))),
        columns_(static_cast<int>((box.max_x - box.min_x) * per_metre_) + 1),
        rows_(static_cast<int>((box.max_y - box.min_y) * per_metre_) + 1) {}

  const Bounds& box() const noexcept { return box_; }
  double side() const noexcept { return side_; }
  int columns() const noexcept { return columns_; }
  int rows() const noexcept { return rows_; }

  /// Of a place inside the box.
  std::size_t cell(double x, double y) const noexcept {
    const int row = static_cast<int>((y - box_.min_y) * per_metre_), column = static_cast<int>((x - box_.min_x) * per_metre_);
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(column);
  }
  /// Of any place: -1 before the box, columns() or rows() behind it.
  int column(double x) const noexcept { return clamped((x - box_.min_x) * per_metre_, columns_); }
  int row(double y) const noexcept { return clamped((y - box_.min_y) * per_metre_, rows_); }

  /// First and last column that the part of `edge` in `row` may touch: never too few.
  std::pair<int, int> columns_of(const Edge& edge, int row) const noexcept {
    const double width = edge.high.x - edge.low.x, height = edge.high.y - edge.low.y;
    const double bottom = box_.min_y + row * side_ - margin_y_, top = box_.min_y + (row + 1) * side_ + margin_y_;
    double from = edge.low.x, to = edge.high.x;
    if (bottom > edge.low.y && height > 0) from += width * std::min(1.0, (bottom - edge.low.y) / height);
    if (top < edge.high.y && height > 0) to = edge.low.x + width * std::max(0.0, (top - edge.low.y) / height);
    const double margin = margin_x_ + 1e-14 * (std::abs(edge.low.x) + std::abs(edge.high.x));
    return {column(std::min(from, to) - margin), column(std::max(from, to) + margin)};
  }

 private:
  static int clamped(double position, int count) noexcept {
    if (position < 0) return -1;
    return position < count ? static_cast<int>(position) : count;
  }

  Bounds box_;
  double side_ = 1, per_metre_ = 1, margin_x_ = 0, margin_y_ = 0;
  int columns_ = 0, rows_ = 0;
};

}  // namespace tuile::label
