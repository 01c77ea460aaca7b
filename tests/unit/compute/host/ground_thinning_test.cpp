#include "compute/host/ground_thinning.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>

namespace tuile::compute {
namespace {

bool by_coordinates(const GridPoint& a, const GridPoint& b) { return std::tie(a.x, a.y, a.z) < std::tie(b.x, b.y, b.z); }

/// Cells by exact rational arithmetic: 0.5 m is `per_cell` / `denominator` units.
std::vector<GridPoint> oracle(const std::vector<GridPoint>& points, const Grid& grid, std::int64_t per_cell, std::int64_t denominator) {
  const auto floor_div = [](std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); };
  std::map<std::pair<std::int64_t, std::int64_t>, GridPoint> lowest;
  for (const GridPoint& point : points) {
    const std::pair cell{floor_div((grid.origin[0] + point.x) * denominator, per_cell),
                         floor_div((grid.origin[1] + point.y) * denominator, per_cell)};
    const auto [entry, added] = lowest.emplace(cell, point);
    if (!added && std::tie(point.z, point.x, point.y) < std::tie(entry->second.z, entry->second.x, entry->second.y)) entry->second = point;
  }
  std::vector<GridPoint> kept;
  for (const auto& [cell, point] : lowest) kept.push_back(point);
  std::sort(kept.begin(), kept.end(), by_coordinates);
  return kept;
}

std::vector<GridPoint> sorted_cells(const std::vector<GridPoint>& points, const Grid& grid) {
  std::vector<GridPoint> kept = lowest_per_cell(points, grid);
  std::sort(kept.begin(), kept.end(), by_coordinates);
  return kept;
}

std::vector<GridPoint> random_points(std::size_t count, std::int32_t extent, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::int32_t> coordinate(-extent, extent), height(-5, 5);
  std::vector<GridPoint> points(count);
  for (GridPoint& point : points) point = {coordinate(random), coordinate(random), height(random)};
  return points;
}

TEST(GroundThinning, MatchesExactCells) {
  struct Case {
    double scale;
    std::int64_t per_cell, denominator;
  };
  for (const Case& c :
       {Case{0.01, 50, 1}, Case{0.001, 500, 1}, Case{0.1, 5, 1}, Case{0.5, 1, 1}, Case{0.02, 25, 1}, Case{0.04, 25, 2}, Case{1.0, 1, 2}}) {
    for (const std::int64_t origin : {0LL, -12345LL, 87000000LL, 661700000LL}) {
      // A dense table, and points so sparse that the cells are sorted.
      for (const std::int32_t extent : {700, 500000000}) {
        SCOPED_TRACE(testing::Message() << "scale " << c.scale << " origin " << origin << " extent " << extent);
        const Grid grid{c.scale, {origin, origin - 7, 0}};
        const auto points = random_points(20000, extent, static_cast<unsigned>(extent));
        EXPECT_EQ(sorted_cells(points, grid), oracle(points, grid, c.per_cell, c.denominator));
      }
    }
  }
}

TEST(GroundThinning, CellsDoNotMoveWithTheOrigin) {
  const auto points = random_points(5000, 1000, 3);
  const auto expected = lowest_per_cell(points, Grid{0.01, {87000000, 661700000, 0}});
  std::vector<GridPoint> moved = points;
  for (GridPoint& point : moved) point = {point.x - 12321, point.y + 777, point.z};
  auto kept = lowest_per_cell(moved, Grid{0.01, {87000000 + 12321, 661700000 - 777, 0}});
  for (GridPoint& point : kept) point = {point.x + 12321, point.y - 777, point.z};
  EXPECT_EQ(kept, expected);
}

TEST(GroundThinning, OrderDoesNotMatter) {
  for (const std::int32_t extent : {400, 500000000}) {
    auto points = random_points(5000, extent, 4);
    points.insert(points.end(), points.begin(), points.begin() + 1000);
    const auto expected = lowest_per_cell(points, Grid{});
    std::shuffle(points.begin(), points.end(), std::mt19937(1));
    EXPECT_EQ(lowest_per_cell(points, Grid{}), expected);
  }
}

TEST(GroundThinning, TiesTakeTheSmallestXThenY) {
  const std::vector<GridPoint> points{{40, 3, 7}, {12, 9, 7}, {12, 4, 7}, {1, 1, 8}, {-1, 1, 9}};
  EXPECT_EQ(sorted_cells(points, Grid{}), (std::vector<GridPoint>{{-1, 1, 9}, {12, 4, 7}}));
  EXPECT_TRUE(lowest_per_cell(std::span<const GridPoint>{}, Grid{}).empty());
}

TEST(GroundThinning, PointsMayComeInRuns) {
  for (const std::int32_t spread : {3000, 30'000'000}) {  // a table of cells, and sorting
    std::vector<GridPoint> points;
    for (std::int32_t i = 0; i < 5000; ++i) points.push_back({i * 7919 % spread, i * 104'729 % spread, i * 31 % 997});
    const GroundPoints in_runs = [&](const TakePoints& take) {
      take({});
      for (std::size_t at = 0; at < points.size(); at += 333)
        take(std::span(points).subspan(at, std::min<std::size_t>(333, points.size() - at)));
    };
    const Grid grid{0.01, {0, 0, 0}};
    EXPECT_EQ(lowest_per_cell(in_runs, grid), lowest_per_cell(points, grid)) << spread;
  }
}

}  // namespace
}  // namespace tuile::compute
