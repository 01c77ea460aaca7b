#include <gtest/gtest.h>

#include <random>

#include "label/orientation.hpp"
#include "label_support.hpp"

namespace tuile::label::test {
namespace {

/// For every point whether the polygon holds it, by label_points.
std::vector<bool> held(const PointBlock& block, const Polygon& polygon, Executor& executor) {
  GroundTruth truth;
  truth.layers.push_back(layer_of("areas", {polygon}));
  const LabelPlan plan{{{"areas", {{9, {}}}}}, false};
  const LabelBlock labels = label_points(block, features_of({}, block.size(), {}), {}, truth, plan, executor);
  std::vector<bool> result;
  for (std::size_t i = 0; i < block.size(); ++i) result.push_back(labels.object[i] == 0);
  return result;
}

TEST(Orientation, IsExactWhereRoundingWouldDecide) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> x(8e5, 1e6), y(6.2e6, 7.1e6), along(-0.2, 1.2);
  int on = 0, undecided = 0;
  for (int trial = 0; trial < 200000; ++trial) {
    Position a{x(random), y(random)}, b{x(random), y(random)};
    if (trial % 4 == 0) b = {a.x + (x(random) - 9e5) * 1e-5, a.y + (y(random) - 6.6e6) * 1e-5};
    if (trial % 4 == 1) {  // corners and points on a grid of 1/8 m: places exactly on the edge happen
      a = {std::round(a.x * 8) / 8, std::round(a.y * 8) / 8};
      b = {a.x + std::round(b.x - 9e5) / 1024 * 8, a.y + std::round(b.y - 6.6e6) / 1024 * 8};
    }
    if (a.y > b.y) std::swap(a, b);
    const double t = trial % 4 == 1 ? std::round(along(random) * 8) / 8 : along(random);
    const Position p{a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)};
    const Wide exact = turn(a, b, p);
    on += exact == 0;
    const double left = (a.x - p.x) * (b.y - p.y), right = (a.y - p.y) * (b.x - p.x);
    undecided += std::abs(left - right) <= 3.4e-16 * (std::abs(left) + std::abs(right));
    EXPECT_EQ(is_left({a, b}, p.x, p.y), exact > 0) << trial;
    EXPECT_EQ(detail::is_left_exactly({a, b}, p.x, p.y), exact > 0) << trial;
  }
  EXPECT_GT(on, 1000);
  EXPECT_GT(undecided, 2000);
}

TEST(AreaIndex, SimpleRingsAgreeWithWindingNumbers) {
  std::mt19937 random(11);
  Executor executor(2);
  std::size_t inside = 0, outside = 0, on = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const Grid grid{0.25, {std::int64_t{3600000} + static_cast<int>(random() % 1000), 26800000, 0}};
    const Position middle = position_of(grid, {200, 200, 0});
    Ring ring = star(random, middle, 5.0 + static_cast<double>(random() % 20), 50, 3 + static_cast<int>(random() % 200));
    if (trial % 2 == 0) {
      for (Position& p : ring) p = {std::round(p.x * 4) / 4, std::round(p.y * 4) / 4};  // corners may meet, but the ring keeps its turns
    }
    std::vector<GridPoint> units;
    for (int i = 0; i < 3000; ++i) units.push_back({static_cast<int>(random() % 400), static_cast<int>(random() % 400), 0});
    const PointBlock block = block_of(grid, units);
    const std::vector<bool> result = held(block, {ring}, executor);
    for (std::size_t i = 0; i < units.size(); ++i) {
      const std::optional<int> turns = winding(ring, position_of(grid, units[i]));
      if (!turns || *turns < 0 || *turns > 1) {  // on the border, or in a fold that rounding made
        ++on;
        continue;
      }
      ASSERT_EQ(result[i], *turns == 1) << trial << " " << i;
      ++(*turns == 1 ? inside : outside);
    }
  }
  EXPECT_GT(inside, 20000U);
  EXPECT_GT(outside, 20000U);
  EXPECT_GT(on, 100U);
}

TEST(AreaIndex, BordersBelongToOneSide) {
  Executor executor(1);
  const Grid grid{0.01, {90000000, 660000000, 0}};
  std::vector<GridPoint> units;
  for (int y = -1; y <= 5; ++y) {
    for (int x = -1; x <= 5; ++x) units.push_back({x, y, 0});
  }
  const PointBlock block = block_of(grid, units);
  const auto at = [&](int x, int y) { return position_of(grid, {x, y, 0}); };
  const std::vector<bool> square = held(block, {{at(0, 0), at(4, 0), at(4, 4), at(0, 4)}}, executor);
  for (std::size_t i = 0; i < units.size(); ++i) {
    const auto [x, y, z] = units[i];
    EXPECT_EQ(square[i], x >= 0 && x < 4 && y >= 0 && y < 4) << x << " " << y;
  }
  // A square in four triangles, either way round: each point of it is in exactly one.
  const Ring corners{at(0, 0), at(4, 0), at(4, 4), at(0, 4)};
  std::vector<int> times(units.size());
  for (std::size_t k = 0; k < 4; ++k) {
    Ring triangle{corners[k], corners[(k + 1) % 4], at(2, 2)};
    if (k % 2 == 1) std::swap(triangle[0], triangle[1]);
    const std::vector<bool> part = held(block, {triangle}, executor);
    for (std::size_t i = 0; i < units.size(); ++i) times[i] += part[i];
  }
  for (std::size_t i = 0; i < units.size(); ++i) EXPECT_EQ(times[i], square[i] ? 1 : 0) << units[i].x << " " << units[i].y;
}

TEST(AreaIndex, ManyCornersHolesAndFarAwayOnes) {
  std::mt19937 random(5);
  Executor executor(2);
  const Grid grid{0.01, {90000000, 660000000, 0}};
  std::vector<GridPoint> units;
  for (int i = 0; i < 20000; ++i) units.push_back({static_cast<int>(random() % 10000), static_cast<int>(random() % 10000), 0});
  const PointBlock block = block_of(grid, units);
  const Position middle = position_of(grid, {5000, 5000, 0});
  Polygon fringed{star(random, middle, 25, 70, 40000)};
  for (int i = 0; i < 200; ++i) fringed.push_back(star(random, {middle.x - 20 + i % 15 * 3.0, middle.y - 20 + i / 15 * 3.0}, 0.2, 1.4, 12));
  Polygon far{star(random, middle, 30, 2e6, 300)};
  for (std::size_t i = 0; i < far[0].size(); ++i) {
    const double nearer = i % 2 == 0 ? 1e-5 : 1;  // every second corner within 50 m or so
    const Position& p = far[0][i];
    far[0][i] = {std::round((middle.x + (p.x - middle.x) * nearer) * 1024) / 1024,
                 std::round((middle.y + (p.y - middle.y) * nearer) * 1024) / 1024};
  }
  far.push_back(star(random, middle, 5, 10, 5));
  Polygon comb;  // teeth much thinner than any cell, over the whole tile and beyond
  comb.emplace_back();
  for (int i = 0; i < 500; ++i) {
    const double x = middle.x - 50 + 0.2 * i;
    comb[0].push_back({x, middle.y - 40});
    comb[0].push_back({x + 0.05, middle.y + 1000});
    comb[0].push_back({x + 0.1, middle.y - 40});
  }
  comb[0].push_back({middle.x, middle.y - 3000});
  for (const Polygon& polygon : {fringed, far, comb}) {
    const std::vector<bool> result = held(block, polygon, executor);
    std::size_t inside = 0;
    const std::size_t step = polygon[0].size() > 10000 ? 40 : 1;  // the oracle is slow
    for (std::size_t i = 0; i < units.size(); i += step) {
      ASSERT_EQ(result[i], inside_by_parity(polygon, position_of(grid, units[i]))) << i;
      inside += result[i];
    }
    EXPECT_GT(inside, 100U);
    EXPECT_LT(inside, 19000U / step);
  }
}

}  // namespace
}  // namespace tuile::label::test
