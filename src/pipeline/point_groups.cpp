#include "tuile/pipeline/point_groups.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "tuile/core/error.hpp"

namespace tuile::pipeline {

namespace {

/// What is moved about: with the coordinates, so that comparisons need no look-up.
struct Place {
  std::int32_t x, y;
  std::uint32_t point;
};

void check(const PointBlock& block, std::span<const std::uint8_t> use, const std::stop_token& stop) {
  if (!use.empty() && use.size() != block.size()) {
    throw InvalidArgument(std::to_string(use.size()) + " marks were given for " + std::to_string(block.size()) +
                          " points; one for each is expected");
  }
  if (stop.stop_requested()) throw Cancelled("stopped while points were grouped");
}

std::vector<Place> places_of(const PointBlock& block, std::span<const std::uint8_t> use) {
  std::vector<Place> places;
  places.reserve(use.empty() ? block.size() : use.size() - static_cast<std::size_t>(std::count(use.begin(), use.end(), std::uint8_t{0})));
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (use.empty() || use[i] != 0) places.push_back({block.units[i].x, block.units[i].y, static_cast<std::uint32_t>(i)});
  }
  return places;
}

struct Box {
  std::int64_t min_x = std::numeric_limits<std::int64_t>::max(), min_y = min_x, max_x = std::numeric_limits<std::int64_t>::min(),
               max_y = max_x;
};

Box box_of(std::span<const Place> places) {
  Box box;
  for (const Place& place : places) {
    box.min_x = std::min<std::int64_t>(box.min_x, place.x);
    box.min_y = std::min<std::int64_t>(box.min_y, place.y);
    box.max_x = std::max<std::int64_t>(box.max_x, place.x);
    box.max_y = std::max<std::int64_t>(box.max_y, place.y);
  }
  return box;
}

/// Splits `places` into `parts` runs of equal length, each of which lies together. ends: the runs' ends, counted from `places` on.
void split(std::span<Place> places, std::size_t parts, std::size_t first, std::vector<std::size_t>& ends, const std::stop_token& stop) {
  if (stop.stop_requested()) throw Cancelled("stopped while points were grouped");
  if (parts == 1) {
    ends.push_back(first + places.size());
    return;
  }
  const std::size_t left = parts / 2;
  const std::size_t cut = places.size() * left / parts;  // both factors are below 2^32
  const Box box = box_of(places);
  const auto nth = places.begin() + static_cast<std::ptrdiff_t>(cut);
  // Ties by position, so that the two halves are the same sets whoever selects.
  if (box.max_x - box.min_x >= box.max_y - box.min_y) {
    std::nth_element(places.begin(), nth, places.end(),
                     [](const Place& a, const Place& b) { return a.x != b.x ? a.x < b.x : a.point < b.point; });
  } else {
    std::nth_element(places.begin(), nth, places.end(),
                     [](const Place& a, const Place& b) { return a.y != b.y ? a.y < b.y : a.point < b.point; });
  }
  split(places.first(cut), left, first, ends, stop);
  split(places.subspan(cut), parts - left, first + cut, ends, stop);
}

std::int32_t lowest(const PointBlock& block, std::span<const std::uint32_t> points) {
  std::int32_t z = std::numeric_limits<std::int32_t>::max();
  for (const std::uint32_t point : points) z = std::min(z, block.units[point].z);
  return z;
}

}  // namespace

PointGroups compact_groups(const PointBlock& block, std::span<const std::uint8_t> use, std::size_t most, std::stop_token stop) {
  check(block, use, stop);
  if (most == 0) throw InvalidArgument("groups of 0 points were asked for; at least 1 is expected");
  std::vector<Place> places = places_of(block, use);
  PointGroups groups;
  if (places.empty()) return groups;
  split(places, (places.size() - 1) / most + 1, 0, groups.begin, stop);
  groups.points = Buffer<std::uint32_t>(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) groups.points[i] = places[i].point;
  const std::span<std::uint32_t> points = groups.points.span();
  for (std::size_t g = 0; g + 1 < groups.begin.size(); ++g) {
    const std::size_t from = groups.begin[g], count = groups.begin[g + 1] - from;
    std::sort(points.begin() + static_cast<std::ptrdiff_t>(from), points.begin() + static_cast<std::ptrdiff_t>(from + count));
    const Box box = box_of(std::span<const Place>(places).subspan(from, count));
    const auto& [scale, origin] = block.grid;
    groups.origin.push_back({static_cast<double>(origin[0] + (box.min_x + box.max_x) / 2) * scale,
                             static_cast<double>(origin[1] + (box.min_y + box.max_y) / 2) * scale,
                             static_cast<double>(origin[2] + lowest(block, points.subspan(from, count))) * scale});
  }
  return groups;
}

PointGroups square_groups(const PointBlock& block, std::span<const std::uint8_t> use, double side, std::stop_token stop) {
  check(block, use, stop);
  if (!(side >= 0.01 && side <= 100'000))
    throw InvalidArgument("squares of " + std::to_string(side) + " m were asked for; 0.01 to 100 000 m are expected");
  const auto& [scale, origin] = block.grid;
  struct Cell {
    std::int64_t row, column;
    std::uint32_t point;
  };
  std::vector<Cell> cells;
  // Coordinates are decimals that binary numbers miss by a hair: one on a border shall lie on it.
  const auto cell_of = [&](std::int64_t units) {
    return static_cast<std::int64_t>(std::floor(static_cast<double>(units) * scale / side + 1e-9));
  };
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (!use.empty() && use[i] == 0) continue;
    cells.push_back({cell_of(origin[1] + block.units[i].y), cell_of(origin[0] + block.units[i].x), static_cast<std::uint32_t>(i)});
  }
  if (stop.stop_requested()) throw Cancelled("stopped while points were grouped");
  std::sort(cells.begin(), cells.end(), [](const Cell& a, const Cell& b) {
    return std::pair(a.row, a.column) != std::pair(b.row, b.column) ? std::pair(a.row, a.column) < std::pair(b.row, b.column)
                                                                    : a.point < b.point;
  });
  PointGroups groups;
  groups.points = Buffer<std::uint32_t>(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    groups.points[i] = cells[i].point;
    const bool is_last = i + 1 == cells.size() || cells[i + 1].row != cells[i].row || cells[i + 1].column != cells[i].column;
    if (!is_last) continue;
    const std::size_t from = groups.begin.back();
    groups.begin.push_back(i + 1);
    const auto on_grid = [&](std::int64_t cell) {
      return static_cast<double>(std::llround((static_cast<double>(cell) + 0.5) * side / scale)) * scale;
    };
    groups.origin.push_back({on_grid(cells[i].column), on_grid(cells[i].row),
                             static_cast<double>(origin[2] + lowest(block, groups.points.span().subspan(from, i + 1 - from))) * scale});
  }
  return groups;
}

}  // namespace tuile::pipeline
