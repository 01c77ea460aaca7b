#include "synth/sampling.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <tuple>

#include "synth/geometry.hpp"

namespace tuile::synth {
namespace {

TownOptions small_town(int tiles, double size) {
  TownOptions options;
  options.tiles_x = options.tiles_y = tiles;
  options.size = size;
  return options;
}

bool in_order(const TownPoint& a, const TownPoint& b) {
  return std::tie(a.gps_time, a.point_source_id, a.return_number) < std::tie(b.gps_time, b.point_source_id, b.return_number);
}

TEST(Sampling, DensityClassesAndOrder) {
  for (const double density : {5.0, 20.0}) {
    TownOptions options = small_town(1, 200);
    options.density = density;
    const Town town = make_town(options);
    const auto points = sample_tile(town, 0, 0);
    std::map<int, std::size_t> classes;
    std::size_t firsts = 0;
    for (const TownPoint& point : points) {
      ++classes[point.classification];
      firsts += point.return_number == 1;
    }
    EXPECT_NEAR(static_cast<double>(firsts) / (options.size * options.size), density, 0.1 * density);
    for (const int expected : {1, 2, 3, 4, 5, 6, 9, 17, 64, 65})
      EXPECT_GT(classes[expected], 0U) << "class " << expected << " at density " << density;
    EXPECT_EQ(classes.size(), 10U);
    EXPECT_TRUE(std::is_sorted(points.begin(), points.end(), in_order));
  }
}

TEST(Sampling, TilesAdjoinWithoutGapOrOverlap) {
  // The same town as one tile and as nine: the same points, each in one tile.
  const Town whole = make_town(small_town(1, 150)), cut = make_town(small_town(3, 50));
  auto expected = sample_tile(whole, 0, 0);
  std::vector<TownPoint> together;
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 3; ++x) {
      const auto tile = sample_tile(cut, x, y);
      EXPECT_FALSE(tile.empty());
      for (const TownPoint& point : tile) {
        ASSERT_EQ((point.x - 87000000) / 5000, x);
        ASSERT_EQ((point.y - 661700000) / 5000, y);
      }
      together.insert(together.end(), tile.begin(), tile.end());
    }
  }
  std::sort(expected.begin(), expected.end(), in_order);
  std::sort(together.begin(), together.end(), in_order);
  EXPECT_EQ(together, expected);
}

TEST(Sampling, ReturnsOfAPulseAreConsistent) {
  // Pulses over a large tile; those at its border may leave some returns in the next tile, so only whole pulses are checked.
  const auto points = sample_tile(make_town(small_town(1, 200)), 0, 0);
  std::size_t whole = 0, several = 0;
  for (std::size_t begin = 0; begin < points.size();) {
    std::size_t end = begin + 1;
    while (end < points.size() && points[end].gps_time == points[begin].gps_time &&
           points[end].point_source_id == points[begin].point_source_id)
      ++end;
    const std::size_t count = points[begin].number_of_returns;
    EXPECT_GE(count, 1U);
    EXPECT_LE(count, 5U);
    EXPECT_LE(end - begin, count);
    for (std::size_t i = begin; i < end; ++i) {
      EXPECT_EQ(points[i].number_of_returns, count);
      EXPECT_GE(points[i].return_number, 1);
      EXPECT_LE(points[i].return_number, count);
      EXPECT_EQ(points[i].scan_angle, points[begin].scan_angle);
      if (i > begin) {
        EXPECT_LT(points[i - 1].return_number, points[i].return_number);
        EXPECT_GT(points[i - 1].z, points[i].z);
      }
    }
    if (end - begin == count) ++whole;
    if (count > 1) ++several;
    begin = end;
  }
  EXPECT_GT(whole, 700000U);
  EXPECT_GT(several, 30000U);
}

TEST(Sampling, PointsLieOnTheirObjects) {
  const TownOptions options = small_town(1, 200);
  const Town town = make_town(options);
  std::size_t facades = 0, roofs = 0, ground = 0;
  for (const TownPoint& point : sample_tile(town, 0, 0)) {
    const double x = point.x * point_scale, y = point.y * point_scale, z = point.z * point_scale, terrain = town.terrain(x, y);
    if (point.classification == 2) {
      ++ground;
      EXPECT_NEAR(z, terrain, 0.12);
    } else if (point.classification == 3) {
      EXPECT_LT(z - terrain, 0.7);
    } else if (point.classification == 5) {
      EXPECT_GT(z - terrain, 1.2);
    } else if (point.classification == 9) {
      EXPECT_TRUE(
          std::any_of(town.waters.begin(), town.waters.end(), [&](const Water& water) { return std::abs(z - water.level) < 0.05; }));
    } else if (point.classification == 6) {
      // Some building's roof, or what is below it, is within 10 cm of the point.
      bool near = false, below_eaves = false;
      for (const Building& building : town.buildings) {
        const Solid& body = building.roof;
        const double dx = x - body.centre.x, dy = y - body.centre.y;
        const double u = std::abs(dx * body.axis.x + dy * body.axis.y), v = std::abs(dy * body.axis.x - dx * body.axis.y);
        if (u < body.half_length + 0.1 && v < body.half_width + 0.1 && z < body.eave + body.rise + 0.1 && z > building.ground - 0.2) {
          near = true;
          below_eaves = z < body.eave - 0.3;
        }
      }
      EXPECT_TRUE(near) << x << " " << y;
      ++(below_eaves ? facades : roofs);
    }
  }
  EXPECT_GT(ground, 100000U);
  EXPECT_GT(roofs, 20000U);
  EXPECT_GT(facades, 2000U);
}

TEST(Sampling, ObjectClassesSayWhatTheFileClassesDoNot) {
  TownOptions options = small_town(3, 200);
  options.density = 2;
  const Town town = make_town(options);
  std::map<int, std::set<int>> file_classes;  // by object class
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 3; ++x) {
      for (const TownPoint& point : sample_tile(town, x, y)) file_classes[point.object_class].insert(point.classification);
    }
  }
  const std::map<int, std::set<int>> expected{{1, {1}},   {2, {2}},   {3, {2, 3}},  {4, {4}},  {5, {5}},
                                              {6, {6}},   {9, {9}},   {10, {1, 2}}, {11, {2}}, {14, {64}},
                                              {15, {64}}, {17, {17}}, {65, {65}},   {70, {2}}, {71, {1, 2}}};
  EXPECT_EQ(file_classes, expected);
}

TEST(Sampling, AsphaltIsWhereRoadsAre) {
  const Town town = make_town(small_town(1, 200));
  std::size_t asphalt = 0;
  for (const TownPoint& point : sample_tile(town, 0, 0)) {
    const double x = point.x * point_scale, y = point.y * point_scale;
    double inward = -1e9;  // from the nearest edge of asphalt
    for (const Road& road : town.roads) {
      for (std::size_t i = 0; i + 1 < road.line.size(); ++i)
        inward = std::max(inward, road.width / 2 + 0.5 - std::sqrt(squared_distance_to_segment(road.line[i], road.line[i + 1], x, y)));
    }
    if (point.object_class == 11) {
      ++asphalt;
      EXPECT_GT(inward, -0.1);
    } else if (point.object_class == 2 || point.object_class == 70 || point.object_class == 71) {
      EXPECT_LT(inward, 0.1);
    }
  }
  EXPECT_GT(asphalt, 50000U);
}

TEST(Sampling, NoGroundUnderBuildings) {
  const Town town = make_town(small_town(1, 100));
  for (const TownPoint& point : sample_tile(town, 0, 0)) {
    if (point.classification != 2) continue;
    for (const Building& building : town.buildings) {
      Solid inner = building.body;
      inner.half_length -= 0.1;
      inner.half_width -= 0.1;
      EXPECT_FALSE(inside(inner.footprint(), point.x * point_scale, point.y * point_scale));
    }
  }
}

TEST(Sampling, ColoursFitTheObjects) {
  TownOptions options = small_town(1, 100);
  options.point_format = 8;
  std::map<int, std::pair<double, double>> ndvi;  // sum and count per class
  for (const TownPoint& point : sample_tile(make_town(options), 0, 0)) {
    auto& [sum, count] = ndvi[point.classification];
    sum += (double{1} * point.nir - point.red) / (double{1} * point.nir + point.red);
    count += 1;
  }
  EXPECT_GT(ndvi[5].first / ndvi[5].second, 0.4);
  EXPECT_GT(ndvi[3].first / ndvi[3].second, 0.2);
  EXPECT_LT(ndvi[6].first / ndvi[6].second, 0.1);
  EXPECT_LT(ndvi[9].first / ndvi[9].second, -0.2);

  options.point_format = 6;
  for (const TownPoint& point : sample_tile(make_town(options), 0, 0)) ASSERT_EQ(point.red + point.green + point.blue + point.nir, 0);
}

TEST(Sampling, SeedDecides) {
  TownOptions options = small_town(1, 60);
  const auto first = sample_tile(make_town(options), 0, 0);
  EXPECT_EQ(sample_tile(make_town(options), 0, 0), first);
  options.seed = 2;
  EXPECT_NE(sample_tile(make_town(options), 0, 0), first);
}

TEST(Sampling, StripsOfAnyLengthGiveTheSamePoints) {
  const Town town = make_town(small_town(1, 80));
  const Scanner scanner(town);
  std::vector<TownPoint> one, many;
  for (const auto& strip : scanner.strips(0, 0, 100000000)) scanner.sample(strip, one);
  for (const auto& strip : scanner.strips(0, 0, 1000)) scanner.sample(strip, many);
  EXPECT_GT(scanner.strips(0, 0, 1000).size(), 50U);
  EXPECT_EQ(one, many);
}

TEST(Sampling, TimePrinted) {
  const Town town = make_town(small_town(1, 250));
  const auto begin = std::chrono::steady_clock::now();
  const auto points = sample_tile(town, 0, 0);
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  std::printf("%zu points sampled, %.2f M points/s on one core\n", points.size(), static_cast<double>(points.size()) / spent.count() / 1e6);
  EXPECT_GT(points.size(), 1000000U);
}

}  // namespace
}  // namespace tuile::synth
