#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace tuile {

/// An axis-aligned rectangle in the horizontal plane, metres in the tile's CRS, closed on every side. Empty by default.
struct Bounds {
  double min_x = std::numeric_limits<double>::infinity();
  double min_y = std::numeric_limits<double>::infinity();
  double max_x = -std::numeric_limits<double>::infinity();
  double max_y = -std::numeric_limits<double>::infinity();

  bool empty() const noexcept { return !(min_x <= max_x && min_y <= max_y); }
  double width() const noexcept { return empty() ? 0.0 : max_x - min_x; }
  double height() const noexcept { return empty() ? 0.0 : max_y - min_y; }
  double area() const noexcept { return width() * height(); }
  bool intersects(const Bounds& other) const noexcept {
    return min_x <= other.max_x && other.min_x <= max_x && min_y <= other.max_y && other.min_y <= max_y;
  }
  bool contains(double x, double y) const noexcept { return x >= min_x && x <= max_x && y >= min_y && y <= max_y; }
  /// The rectangle grown by `margin` metres on every side.
  Bounds expanded(double margin) const noexcept { return {min_x - margin, min_y - margin, max_x + margin, max_y + margin}; }
  Bounds intersection(const Bounds& other) const noexcept {
    return {std::max(min_x, other.min_x), std::max(min_y, other.min_y), std::min(max_x, other.max_x), std::min(max_y, other.max_y)};
  }
  bool operator==(const Bounds&) const = default;
};

/// The same on the integer grid (units, see PointBlock), absolute; closed on every side.
struct GridBounds {
  std::int64_t min_x = std::numeric_limits<std::int64_t>::max();
  std::int64_t min_y = std::numeric_limits<std::int64_t>::max();
  std::int64_t max_x = std::numeric_limits<std::int64_t>::min();
  std::int64_t max_y = std::numeric_limits<std::int64_t>::min();

  bool empty() const noexcept { return min_x > max_x || min_y > max_y; }
  bool contains(std::int64_t x, std::int64_t y) const noexcept { return x >= min_x && x <= max_x && y >= min_y && y <= max_y; }
  bool strictly_contains(std::int64_t x, std::int64_t y) const noexcept { return x > min_x && x < max_x && y > min_y && y < max_y; }
  bool operator==(const GridBounds&) const = default;
};

}  // namespace tuile
