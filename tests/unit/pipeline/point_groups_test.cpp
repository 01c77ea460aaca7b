#include "tuile/pipeline/point_groups.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "tuile/core/error.hpp"

namespace tuile::pipeline {
namespace {

/// Points of 60 m x 40 m near Lambert-93 coordinates, several in one place.
PointBlock cloud(std::size_t points, unsigned seed = 1) {
  std::mt19937 random(seed);
  PointBlock block;
  block.grid = {0.01, {87'000'000, 661'700'000, 10'000}};
  block.units = Buffer<GridPoint>(points);
  const auto within = [&](int most) { return static_cast<std::int32_t>(random() % static_cast<unsigned>(most)) - most / 2; };
  for (GridPoint& unit : block.units) unit = {within(6000) / 10 * 10, within(4000) / 10 * 10, within(3000)};
  return block;
}

std::vector<std::uint8_t> two_thirds(std::size_t points) {
  std::vector<std::uint8_t> use(points);
  for (std::size_t i = 0; i < points; ++i) use[i] = i % 3 != 0;
  return use;
}

void expect_each_once(const PointGroups& groups, const std::vector<std::uint8_t>& use, std::size_t points) {
  std::vector<int> seen(points, 0);
  for (const std::uint32_t point : groups.points) ++seen.at(point);
  for (std::size_t i = 0; i < points; ++i) ASSERT_EQ(seen[i], use.empty() || use[i] ? 1 : 0) << i;
  ASSERT_EQ(groups.begin.size(), groups.size() + 1);
  ASSERT_EQ(groups.begin.back(), groups.points.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    ASSERT_LT(groups.begin[g], groups.begin[g + 1]);
    ASSERT_TRUE(std::is_sorted(groups.points.begin() + groups.begin[g], groups.points.begin() + groups.begin[g + 1]));
  }
}

TEST(PointGroups, CompactGroupsHoldEachPointOnceAndAreEven) {
  const PointBlock block = cloud(10'000);
  for (const std::vector<std::uint8_t>& use : {std::vector<std::uint8_t>(), two_thirds(block.size())}) {
    const std::size_t used = use.empty() ? block.size() : static_cast<std::size_t>(std::count(use.begin(), use.end(), 1));
    for (const std::size_t most : {1U, 7U, 333U, 5000U, 9999U, 10'000U, 1'000'000U}) {
      const PointGroups groups = compact_groups(block, use, most);
      expect_each_once(groups, use, block.size());
      EXPECT_EQ(groups.size(), (used + most - 1) / most);
      for (std::size_t g = 0; g < groups.size(); ++g) {
        const std::size_t size = groups.begin[g + 1] - groups.begin[g];
        EXPECT_LE(size, most);
        EXPECT_GE(size, used / groups.size());
      }
    }
  }
}

TEST(PointGroups, CompactGroupsDoNotOverlapMuch) {
  const PointBlock block = cloud(10'000);
  const PointGroups groups = compact_groups(block, {}, 400);
  double area = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    double low[3] = {1e9, 1e9, 1e9}, high[2] = {-1e9, -1e9};
    for (std::size_t i = groups.begin[g]; i < groups.begin[g + 1]; ++i) {
      const GridPoint& p = block.units[groups.points[i]];
      const double place[3] = {0.01 * (87'000'000.0 + p.x), 0.01 * (661'700'000.0 + p.y), 0.01 * (10'000.0 + p.z)};
      for (int a = 0; a < 3; ++a) low[a] = std::min(low[a], place[a]);
      for (int a = 0; a < 2; ++a) high[a] = std::max(high[a], place[a]);
    }
    area += (high[0] - low[0]) * (high[1] - low[1]);
    EXPECT_NEAR(groups.origin[g][0], (low[0] + high[0]) / 2, 0.0051);
    EXPECT_NEAR(groups.origin[g][1], (low[1] + high[1]) / 2, 0.0051);
    EXPECT_NEAR(groups.origin[g][2], low[2], 1e-6);
  }
  EXPECT_LE(area, 60 * 40 * 1.001);  // a partition: the boxes touch at most
}

TEST(PointGroups, TheSamePointsGiveTheSameGroups) {
  const PointBlock block = cloud(5000);
  const PointGroups one = compact_groups(block, {}, 100), two = compact_groups(block, {}, 100);
  EXPECT_TRUE(std::equal(one.points.begin(), one.points.end(), two.points.begin(), two.points.end()));
  EXPECT_EQ(one.begin, two.begin);
}

TEST(PointGroups, ManyPointsInOnePlace) {
  PointBlock block;
  block.units = Buffer<GridPoint>(1000, GridPoint{5, 5, 5});
  const PointGroups groups = compact_groups(block, {}, 64);
  expect_each_once(groups, {}, 1000);
  EXPECT_EQ(groups.size(), 16U);
  EXPECT_EQ(square_groups(block, {}, 10).size(), 1U);
}

TEST(PointGroups, SquaresHoldTheirPoints) {
  const PointBlock block = cloud(10'000);
  const std::vector<std::uint8_t> use = two_thirds(block.size());
  for (const double side : {0.3, 2.5, 7.0, 25.0, 1000.0}) {
    const PointGroups groups = square_groups(block, use, side);
    expect_each_once(groups, use, block.size());
    // In hundredths of a metre everything is whole.
    const auto units = static_cast<std::int64_t>(std::llround(side * 100));
    std::map<std::pair<std::int64_t, std::int64_t>, std::set<std::uint32_t>> expected;  // (row, column)
    for (std::uint32_t i = 0; i < block.size(); ++i) {
      if (use[i]) expected[{(661'700'000 + block.units[i].y) / units, (87'000'000 + block.units[i].x) / units}].insert(i);
    }
    ASSERT_EQ(groups.size(), expected.size());
    std::size_t g = 0;
    for (const auto& [cell, points] : expected) {
      EXPECT_TRUE(
          std::equal(points.begin(), points.end(), groups.points.begin() + groups.begin[g], groups.points.begin() + groups.begin[g + 1]));
      EXPECT_NEAR(groups.origin[g][0], (static_cast<double>(cell.second) + 0.5) * side, 0.0051);
      EXPECT_NEAR(groups.origin[g][1], (static_cast<double>(cell.first) + 0.5) * side, 0.0051);
      ++g;
    }
  }
}

TEST(PointGroups, SquaresSouthWestOfTheOrigin) {
  PointBlock block;
  block.units = Buffer<GridPoint>(3);
  block.units[0] = {-1, -1, 0};
  block.units[1] = {0, 0, 0};
  block.units[2] = {999, 999, 0};
  const PointGroups groups = square_groups(block, {}, 10);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups.origin[0], (std::array<double, 3>{-5, -5, 0}));
  EXPECT_EQ(groups.begin, (std::vector<std::size_t>{0, 1, 3}));
}

TEST(PointGroups, NoPoints) {
  const PointBlock empty;
  EXPECT_EQ(compact_groups(empty, {}, 10).size(), 0U);
  EXPECT_EQ(square_groups(empty, {}, 10).size(), 0U);
  const PointBlock block = cloud(100);
  const std::vector<std::uint8_t> none(100, 0);
  EXPECT_EQ(compact_groups(block, none, 10).size(), 0U);
  EXPECT_EQ(square_groups(block, none, 10).points.size(), 0U);
}

TEST(PointGroups, WhatIsNoInput) {
  const PointBlock block = cloud(100);
  const std::vector<std::uint8_t> short_by_one(99, 1);
  EXPECT_THROW(compact_groups(block, {}, 0), InvalidArgument);
  EXPECT_THROW(compact_groups(block, short_by_one, 10), InvalidArgument);
  EXPECT_THROW(square_groups(block, short_by_one, 10), InvalidArgument);
  for (const double side : {0.0, -1.0, 1e-9, 1e9, std::nan("")}) EXPECT_THROW(square_groups(block, {}, side), InvalidArgument) << side;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(compact_groups(block, {}, 10, stop.get_token()), Cancelled);
  EXPECT_THROW(square_groups(block, {}, 10, stop.get_token()), Cancelled);
}

}  // namespace
}  // namespace tuile::pipeline
