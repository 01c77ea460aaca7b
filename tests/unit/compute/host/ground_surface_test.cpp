#include "compute/host/ground_surface.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <tuple>
#include <utility>

#include "compute/host/delaunay.hpp"
#include "compute/host/ground_thinning.hpp"

namespace tuile::compute {
namespace {

using Points = std::vector<GridPoint>;
constexpr Grid lambert{0.01, {87000000, 661700000, 0}};

double height(const GroundSurface& surface, std::int32_t x, std::int32_t y) {
  GroundSurface::Cursor cursor(surface);
  return cursor.height(x, y);
}

Points random_points(std::size_t count, std::int32_t extent, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::int32_t> coordinate(0, extent), rise(0, 500);
  Points points(count);
  for (GridPoint& point : points) point = {coordinate(random), coordinate(random), rise(random)};
  return points;
}

double cross(const GridPoint& a, const GridPoint& b, const GridPoint& c) {
  return static_cast<double>(b.x - a.x) * (c.y - a.y) - static_cast<double>(b.y - a.y) * (c.x - a.x);
}

/// Without any triangulation: of all triples of points around the query, Delaunay's has the lowest plane through the lifted points
/// (x, y, x² + y²) at the query. NaN outside the hull.
double interpolate_by_brute_force(const Points& points, const GridPoint& query) {
  double lowest = std::numeric_limits<double>::infinity(), value = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = i + 1; j < points.size(); ++j) {
      for (std::size_t k = j + 1; k < points.size(); ++k) {
        const GridPoint &a = points[i], &b = points[j], &c = points[k];
        const double whole = cross(a, b, c);
        if (whole == 0) continue;
        const double u = cross(b, c, query) / whole, v = cross(c, a, query) / whole, w = cross(a, b, query) / whole;
        if (u < 0 || v < 0 || w < 0) continue;
        const auto lift = [&](const GridPoint& p) { return std::pow(p.x - query.x, 2) + std::pow(p.y - query.y, 2); };
        const double lifted = u * lift(a) + v * lift(b) + w * lift(c);
        if (lifted < lowest) {
          lowest = lifted;
          value = u * a.z + v * b.z + w * c.z;
        }
      }
    }
  }
  return value;
}

double nearest_by_brute_force(const Points& points, const GridPoint& query) {
  const auto key = [&](const GridPoint& p) {
    const std::int64_t dx = std::int64_t{p.x} - query.x, dy = std::int64_t{p.y} - query.y;
    return std::tuple(dx * dx + dy * dy, p.x, p.y);
  };
  return std::min_element(points.begin(), points.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); })->z;
}

TEST(GroundSurface, LinearInsideNearestOutside) {
  int inside = 0, outside = 0;
  for (unsigned seed = 0; seed < 6; ++seed) {
    const Points points = random_points(45, 3000, seed);
    const GroundSurface surface(points, lambert);
    const Points thinned = lowest_per_cell(points, lambert);
    GroundSurface::Cursor cursor(surface);
    std::mt19937 random(seed);
    std::uniform_int_distribution<std::int32_t> coordinate(-600, 3600);
    for (int i = 0; i < 150; ++i) {
      const GridPoint query{coordinate(random), coordinate(random), 0};
      const double expected = interpolate_by_brute_force(thinned, query);
      if (std::isnan(expected)) {
        ++outside;
        EXPECT_EQ(cursor.height(query.x, query.y), nearest_by_brute_force(thinned, query));
      } else {
        ++inside;
        EXPECT_NEAR(cursor.height(query.x, query.y), expected, 1e-6);
      }
    }
  }
  EXPECT_GT(inside, 200);
  EXPECT_GT(outside, 200);
}

TEST(GroundSurface, NearestOutsideALatticeWithTies) {
  Points points;
  for (std::int32_t row = 0; row < 12; ++row) {
    for (std::int32_t column = 0; column < 12; ++column) points.push_back({column * 100, row * 100, row * 37 + column * 11});
  }
  const GroundSurface surface(points, Grid{});
  GroundSurface::Cursor cursor(surface);
  for (std::int32_t along = -400; along <= 1500; along += 10) {
    for (const GridPoint& query :
         {GridPoint{along, -130, 0}, GridPoint{along, 1300, 0}, GridPoint{-30, along, 0}, GridPoint{1111, along, 0}}) {
      EXPECT_EQ(cursor.height(query.x, query.y), nearest_by_brute_force(points, query)) << query.x << " " << query.y;
    }
  }
  const auto far = std::numeric_limits<std::int32_t>::max();
  EXPECT_EQ(cursor.height(far, far), points.back().z);
  EXPECT_EQ(cursor.height(-far, -far), points.front().z);
}

TEST(GroundSurface, ExactOnAPlaneAcrossABigHole) {
  // 400 m × 400 m, slope 13 % and -7 %, heights rounded to 1 cm, a hole of 300 m × 250 m.
  const auto plane = [](double x, double y) { return 20000 + 0.13 * x - 0.07 * y; };
  std::mt19937 random(9);
  std::uniform_int_distribution<std::int32_t> coordinate(0, 40000);
  Points points;
  while (points.size() < 300000) {
    const std::int32_t x = coordinate(random), y = coordinate(random);
    if (x > 5000 && x < 35000 && y > 7000 && y < 32000) continue;
    points.push_back({x, y, static_cast<std::int32_t>(std::lround(plane(x, y)))});
  }
  const GroundSurface surface(points, lambert);
  GroundSurface::Cursor cursor(surface);
  for (int i = 0; i < 20000; ++i) {
    const std::int32_t x = 200 + coordinate(random) * 99 / 100, y = 200 + coordinate(random) * 99 / 100;
    ASSERT_NEAR(cursor.height(x, y), plane(x, y), 1.0);  // units: 1 cm
  }
}

TEST(GroundSurface, CloseToTheUnthinnedTriangulation) {
  // Rough ground: undulation, a 2 m bank and 3 cm of noise, 12 points per m².
  std::mt19937 random(4);
  std::uniform_int_distribution<std::int32_t> coordinate(0, 10000);
  std::normal_distribution<double> noise(0, 3);
  Points points(120000);
  for (GridPoint& point : points) {
    const std::int32_t x = coordinate(random), y = coordinate(random);
    const double z = 300 * std::sin(x / 1500.0) * std::cos(y / 2100.0) + 0.05 * x + 200 / (1 + std::exp((5000 - y) / 100.0));
    point = {x, y, static_cast<std::int32_t>(std::lround(z + noise(random)))};
  }
  const GroundSurface surface(points, lambert);
  Points all = points;
  const auto by_place = [](const auto& a, const auto& b) { return std::tie(a.x, a.y, a.z) < std::tie(b.x, b.y, b.z); };
  std::sort(all.begin(), all.end(), by_place);
  all.erase(std::unique(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.x == b.x && a.y == b.y; }), all.end());
  const Delaunay unthinned(spatial_order(all));
  GroundSurface::Cursor cursor(surface);
  double squares = 0;
  int count = 0;
  std::int32_t triangle = 0;
  for (int i = 0; i < 20000; ++i) {
    const GridPoint query{coordinate(random), coordinate(random), 0};
    triangle = unthinned.locate(query, triangle);
    const auto& found = unthinned.triangles()[static_cast<std::size_t>(triangle)];
    if (is_unbounded(found)) continue;
    const auto corner = [&](std::size_t k) -> const GridPoint& { return unthinned.points()[static_cast<std::size_t>(found.vertex[k])]; };
    const double whole = cross(corner(0), corner(1), corner(2));
    const double expected = (cross(corner(1), corner(2), query) * corner(0).z + cross(corner(2), corner(0), query) * corner(1).z +
                             cross(corner(0), corner(1), query) * corner(2).z) /
                            whole;
    squares += std::pow(cursor.height(query.x, query.y) - expected, 2);
    ++count;
  }
  EXPECT_GT(count, 19000);
  EXPECT_LE(std::sqrt(squares / count), 10.0);  // units: 1 cm
}

TEST(GroundSurface, DependsNeitherOnTheCursorsPastNorOnTheOrderOfPoints) {
  Points points = random_points(3000, 4000, 21);
  for (std::int32_t i = 0; i < 400; ++i) points.push_back({4500 + (i % 20) * 50, (i / 20) * 50, i % 7 * 10});  // cocircular
  const GroundSurface surface(points, lambert);
  std::shuffle(points.begin(), points.end(), std::mt19937(2));
  const GroundSurface shuffled(points, lambert);
  const Points thinned = lowest_per_cell(points, lambert);

  // Vertices, middles of pairs (often on edges), lattice edges, and anywhere, also outside.
  std::mt19937 random(3);
  Points queries(thinned.begin(), thinned.begin() + 500);
  for (std::size_t i = 0; i + 1 < 500; ++i)
    queries.push_back({(thinned[i].x + thinned[i + 1].x) / 2, (thinned[i].y + thinned[i + 1].y) / 2, 0});
  for (std::int32_t i = 0; i < 800; ++i) queries.push_back({4500 + i, (i * 25) % 1000, 0});
  std::uniform_int_distribution<std::int32_t> coordinate(-1000, 7000);
  for (int i = 0; i < 1500; ++i) queries.push_back({coordinate(random), coordinate(random), 0});

  std::vector<double> expected(queries.size());
  for (std::size_t i = 0; i < queries.size(); ++i) expected[i] = height(surface, queries[i].x, queries[i].y);
  std::vector<std::size_t> order(queries.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  GroundSurface::Cursor cursor(surface), other(shuffled);
  for (int pass = 0; pass < 4; ++pass) {
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t i : order) {
      ASSERT_EQ(std::bit_cast<std::uint64_t>(cursor.height(queries[i].x, queries[i].y)), std::bit_cast<std::uint64_t>(expected[i]));
      ASSERT_EQ(std::bit_cast<std::uint64_t>(other.height(queries[i].x, queries[i].y)), std::bit_cast<std::uint64_t>(expected[i]));
    }
  }
}

TEST(GroundSurface, VerticesKeepTheirHeight) {
  const Points points = random_points(2000, 5000, 33);
  const GroundSurface surface(points, lambert);
  GroundSurface::Cursor cursor(surface);
  for (const GridPoint& point : lowest_per_cell(points, lambert)) ASSERT_EQ(cursor.height(point.x, point.y), point.z);
}

TEST(GroundSurface, FewOrCollinearPoints) {
  EXPECT_TRUE(GroundSurface(std::span<const GridPoint>{}, lambert).empty());

  const Points one{{5, 6, 70}};
  const GroundSurface single(one, lambert);
  EXPECT_FALSE(single.empty());
  EXPECT_EQ(height(single, -1000, 999), 70);

  const Points same(1000, GridPoint{5, 6, 70});
  EXPECT_EQ(height(GroundSurface(same, lambert), 5, 6), 70);

  const Points stacked{{5, 6, 70}, {5, 6, 40}, {5, 6, 90}};
  EXPECT_EQ(height(GroundSurface(stacked, lambert), 0, 0), 40);

  const Points two{{0, 0, 10}, {1000, 0, 30}};
  const GroundSurface segment(two, lambert);
  EXPECT_EQ(height(segment, -50, 3), 10);
  EXPECT_DOUBLE_EQ(height(segment, 250, 9000), 15);
  EXPECT_EQ(height(segment, 1001, -7), 30);

  Points line;
  for (std::int32_t i = 0; i < 500; ++i) line.push_back({i * 300, i * -100, i % 2 * 100});
  std::shuffle(line.begin(), line.end(), std::mt19937(1));
  const GroundSurface collinear(line, lambert);
  EXPECT_EQ(height(collinear, 600, -200), 0);
  EXPECT_EQ(height(collinear, 900, -300), 100);
  EXPECT_DOUBLE_EQ(height(collinear, 150, -50), 50);
  EXPECT_DOUBLE_EQ(height(collinear, 150 + 100, -50 + 300), 50);
  EXPECT_EQ(height(collinear, -500, 100), 0);
  EXPECT_EQ(height(collinear, 400000, 0), 100);
}

TEST(GroundSurface, MovesAndSurvives) {
  const Points points = random_points(500, 3000, 1);
  GroundSurface first(points, lambert);
  const double before = height(first, 1500, 1500);
  GroundSurface second(std::move(first));
  EXPECT_EQ(height(second, 1500, 1500), before);
}

TEST(GroundSurface, TimePrinted) {
  std::mt19937 random(1);
  Points points(2000000);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto row = static_cast<std::int32_t>(i / 2000);
    points[i] = {static_cast<std::int32_t>(random() % 50000), row * 50 + static_cast<std::int32_t>(random() % 50),
                 static_cast<std::int32_t>(random() % 20)};
  }
  auto seconds = [from = std::chrono::steady_clock::now()]() mutable {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(from, now)).count();
  };
  const auto thinned = lowest_per_cell(points, lambert);
  const double thinning = seconds();
  const GroundSurface surface(points, lambert);
  const double building = seconds();
  GroundSurface::Cursor cursor(surface);
  double sum = 0;
  for (const GridPoint& point : points) sum += cursor.height(point.x, point.y);
  const double asking = seconds();
  std::printf("%zu ground points, %zu thinned in %.0f ms; surface in %.0f ms; %.0f ns per height\n", points.size(), thinned.size(),
              thinning * 1e3, building * 1e3, asking * 1e9 / static_cast<double>(points.size()));
  EXPECT_GE(sum, 0);
}

}  // namespace
}  // namespace tuile::compute
