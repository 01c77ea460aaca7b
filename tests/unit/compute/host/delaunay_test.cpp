#include "compute/host/delaunay.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <set>

#include "tuile/core/error.hpp"

namespace tuile::compute {
namespace {

using Points = std::vector<GridPoint>;

Points distinct(Points points) {
  std::sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return std::pair(a.x, a.y) < std::pair(b.x, b.y); });
  points.erase(std::unique(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.x == b.x && a.y == b.y; }),
               points.end());
  return points;
}

Points random_points(std::size_t count, std::int32_t extent, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::int32_t> coordinate(-extent / 2, extent / 2);
  Points points(count);
  for (GridPoint& point : points) point = {coordinate(random), coordinate(random), 0};
  return distinct(points);
}

Points lattice(int columns, int rows, std::int32_t step) {
  Points points;
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) points.push_back({column * step, row * step, 0});
  }
  return points;
}

/// All integer points of a circle with many of them (the radius is a product of primes 4k + 1).
Points on_circle() {
  constexpr std::int64_t radius = 5 * 13 * 17 * 29;
  Points points;
  for (std::int64_t x = -radius; x <= radius; ++x) {
    const auto y = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(radius * radius - x * x))));
    if (x * x + y * y != radius * radius) continue;
    points.push_back({static_cast<std::int32_t>(x), static_cast<std::int32_t>(y), 0});
    if (y != 0) points.push_back({static_cast<std::int32_t>(x), static_cast<std::int32_t>(-y), 0});
  }
  return points;
}

/// The bounded triangles by coordinates, each from its smallest vertex, sorted.
std::set<std::array<std::int32_t, 6>> canonical(const Delaunay& mesh) {
  std::set<std::array<std::int32_t, 6>> result;
  for (const auto& triangle : mesh.triangles()) {
    if (is_unbounded(triangle)) continue;
    std::array<std::pair<std::int32_t, std::int32_t>, 3> corner;
    for (std::size_t i = 0; i < 3; ++i) {
      const GridPoint& point = mesh.points()[static_cast<std::size_t>(triangle.vertex[i])];
      corner[i] = {point.x, point.y};
    }
    std::rotate(corner.begin(), std::min_element(corner.begin(), corner.end()), corner.end());
    result.insert({corner[0].first, corner[0].second, corner[1].first, corner[1].second, corner[2].first, corner[2].second});
  }
  return result;
}

/// Twice the area of the convex hull, by Andrew's monotone chain.
Int128 hull_area(Points points) {
  points = distinct(points);
  Int128 area = 0;
  for (int half = 0; half < 2; ++half) {
    Points chain;
    for (const GridPoint& point : points) {
      while (chain.size() >= 2 && orient2d(chain[chain.size() - 2], chain.back(), point) <= 0) chain.pop_back();
      chain.push_back(point);
    }
    for (std::size_t i = 1; i < chain.size(); ++i) area += Int128{chain[i - 1].x} * chain[i].y - Int128{chain[i].x} * chain[i - 1].y;
    std::reverse(points.begin(), points.end());
  }
  return area;
}

/// > 0 where d is inside the circle of a, b, c: its power relative to the plane through the lifted points, taken relative to a.
Int128 inside_circle(const GridPoint& a, const GridPoint& b, const GridPoint& c, const GridPoint& d) {
  const auto lift = [&](const GridPoint& p) { return Int128{p.x - a.x} * (p.x - a.x) + Int128{p.y - a.y} * (p.y - a.y); };
  return lift(b) * orient2d(a, d, c) + lift(c) * orient2d(a, b, d) - lift(d) * orient2d(a, b, c);
}

void expect_delaunay(const Delaunay& mesh, bool check_circles = true) {
  const Points& points = mesh.points();
  const auto triangles = mesh.triangles();
  ASSERT_EQ(triangles.size(), 2 * points.size() - 2);
  Int128 area = 0;
  for (std::size_t t = 0; t < triangles.size(); ++t) {
    const auto& triangle = triangles[t];
    for (std::size_t slot = 0; slot < 3; ++slot) {
      const auto& other = triangles[static_cast<std::size_t>(triangle.neighbour[slot])];
      const auto back = std::find(std::begin(other.neighbour), std::end(other.neighbour), static_cast<std::int32_t>(t));
      ASSERT_NE(back, std::end(other.neighbour));
      const auto back_slot = static_cast<std::size_t>(back - std::begin(other.neighbour));
      ASSERT_EQ(triangle.vertex[(slot + 1) % 3], other.vertex[(back_slot + 2) % 3]);
      ASSERT_EQ(triangle.vertex[(slot + 2) % 3], other.vertex[(back_slot + 1) % 3]);
    }
    if (is_unbounded(triangle)) continue;
    const auto corner = [&](std::size_t i) -> const GridPoint& { return points[static_cast<std::size_t>(triangle.vertex[i])]; };
    const Int128 twice = orient2d(corner(0), corner(1), corner(2));
    ASSERT_TRUE(twice > 0);
    area += twice;
    if (!check_circles) continue;
    for (const GridPoint& point : points) ASSERT_FALSE(inside_circle(corner(0), corner(1), corner(2), point) > 0);
  }
  EXPECT_TRUE(area == hull_area(points));
}

TEST(Delaunay, RandomPointsHaveEmptyCircles) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    const std::int32_t extent = seed % 2 == 0 ? 60 : 100000;  // crowded: many collinear and cocircular ones
    expect_delaunay(Delaunay(random_points(400, extent, seed)));
    expect_delaunay(Delaunay(spatial_order(random_points(400, extent, seed))));
  }
}

TEST(Delaunay, CocircularPoints) {
  expect_delaunay(Delaunay(lattice(40, 25, 50)));
  expect_delaunay(Delaunay(spatial_order(lattice(40, 25, 50))));
  ASSERT_EQ(on_circle().size(), 324U);
  expect_delaunay(Delaunay(on_circle()));
}

TEST(Delaunay, LongLinesAtAnAngle) {
  Points points;
  for (std::int32_t i = 0; i < 20000; ++i) {
    points.push_back({i * 50, 0, 0});
    points.push_back({-100, (i + 10) * 50, 0});
  }
  expect_delaunay(Delaunay(spatial_order(points)), false);
}

TEST(Delaunay, ExactAtTheLargestExtent) {
  constexpr auto half = static_cast<std::int32_t>(Delaunay::largest_extent / 2);
  Points points{{-half, -half, 0}, {half, -half, 0}, {half, half, 0}, {-half, half, 0}};
  for (std::int32_t i = -3; i <= 3; ++i) {
    points.push_back({half - 1, i, 0});
    points.push_back({i, half - 1 - (i & 1), 0});
  }
  const Delaunay mesh(points);
  // inside_circle would overflow here: structure and area only.
  expect_delaunay(mesh, false);
  for (int shuffle = 0; shuffle < 10; ++shuffle) {
    std::shuffle(points.begin(), points.end(), std::mt19937(static_cast<unsigned>(shuffle)));
    EXPECT_EQ(canonical(Delaunay(points)), canonical(mesh));
  }
  points.push_back({half + 1, 0, 0});
  EXPECT_THROW(Delaunay{points}, Unsupported);
}

TEST(Delaunay, DoesNotDependOnOrderOrOrigin) {
  for (const Points& original : {lattice(20, 20, 50), on_circle(), random_points(300, 50, 7), random_points(1000, 100000, 8)}) {
    const auto expected = canonical(Delaunay(original));
    for (unsigned seed = 0; seed < 5; ++seed) {
      Points points = original;
      std::shuffle(points.begin(), points.end(), std::mt19937(seed));
      EXPECT_EQ(canonical(Delaunay(points)), expected);
    }
    Points moved = original;
    for (GridPoint& point : moved) point = {point.x + 1000003, point.y - 77777, 0};
    std::set<std::array<std::int32_t, 6>> back;
    for (auto corners : canonical(Delaunay(spatial_order(moved)))) {
      for (std::size_t i = 0; i < 6; ++i) corners[i] -= i % 2 == 0 ? 1000003 : -77777;
      back.insert(corners);
    }
    EXPECT_EQ(back, expected);
  }
}

TEST(Delaunay, NoTrianglesWithoutArea) {
  EXPECT_TRUE(Delaunay(Points{}).triangles().empty());
  EXPECT_TRUE(Delaunay(Points{{1, 2, 3}}).triangles().empty());
  EXPECT_TRUE(Delaunay(Points{{1, 2, 3}, {4, 5, 6}}).triangles().empty());
  Points line;
  for (std::int32_t i = 0; i < 1000; ++i) line.push_back({i * 7, i * -3, i});
  EXPECT_TRUE(Delaunay(line).triangles().empty());
  line.push_back({0, 1, 0});
  expect_delaunay(Delaunay(line));
  line.push_back({0, -1, 0});
  expect_delaunay(Delaunay(line));
}

TEST(Delaunay, LocateFindsTheTriangleFromAnywhere) {
  const Delaunay mesh(spatial_order(random_points(300, 400, 3)));
  const auto triangles = mesh.triangles();
  std::mt19937 random(5);
  std::uniform_int_distribution<std::int32_t> coordinate(-260, 260), start(0, static_cast<std::int32_t>(triangles.size()) - 1);
  int outside = 0;
  for (int i = 0; i < 3000; ++i) {
    const GridPoint query{coordinate(random), coordinate(random), 0};
    const auto& found = triangles[static_cast<std::size_t>(mesh.locate(query, start(random)))];
    const auto left_of = [&](const Delaunay::Triangle& triangle, std::size_t slot) {
      return orient2d(mesh.points()[static_cast<std::size_t>(triangle.vertex[(slot + 1) % 3])],
                      mesh.points()[static_cast<std::size_t>(triangle.vertex[(slot + 2) % 3])], query);
    };
    if (is_unbounded(found)) {
      ++outside;
      ASSERT_TRUE(left_of(found, static_cast<std::size_t>(infinite_slot(found))) > 0);
    } else {
      for (std::size_t slot = 0; slot < 3; ++slot) ASSERT_TRUE(left_of(found, slot) >= 0);
    }
  }
  EXPECT_GT(outside, 100);
  EXPECT_LT(outside, 2000);
}

TEST(Delaunay, SpatialOrderKeepsThePointsAndTheirNeighbourhood) {
  Points points = random_points(20000, 100000, 11);
  Points ordered = spatial_order(points);
  double length = 0;
  for (std::size_t i = 1; i < ordered.size(); ++i) length += std::hypot(ordered[i].x - ordered[i - 1].x, ordered[i].y - ordered[i - 1].y);
  // A Hilbert curve through random points is about 0.92 √(n·area) long, and each round √8 times shorter than the next;
  // a random order would be 0.52 · n · side.
  EXPECT_LT(length, 1.7 * std::sqrt(static_cast<double>(points.size())) * 100000);
  const auto less = [](const auto& a, const auto& b) { return std::pair(a.x, a.y) < std::pair(b.x, b.y); };
  std::sort(ordered.begin(), ordered.end(), less);
  EXPECT_EQ(ordered, points);
}

TEST(Delaunay, TimePrinted) {
  std::mt19937 random(1);
  Points points;
  for (std::int32_t row = 0; row < 700; ++row) {
    for (std::int32_t column = 0; column < 700; ++column) {
      points.push_back({column * 50 + static_cast<std::int32_t>(random() % 50), row * 50 + static_cast<std::int32_t>(random() % 50), 0});
    }
  }
  const auto begin = std::chrono::steady_clock::now();
  const Delaunay mesh(spatial_order(points));
  const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - begin;
  std::printf("triangulated %zu points, %.2f us per point\n", points.size(), spent.count() / static_cast<double>(points.size()));
  EXPECT_EQ(mesh.triangles().size(), 2 * points.size() - 2);
}

}  // namespace
}  // namespace tuile::compute
