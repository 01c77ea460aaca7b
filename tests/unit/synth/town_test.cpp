#include "tuile/synth/town.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "synth/geometry.hpp"
#include "synth/object_grid.hpp"
#include "synth/random.hpp"
#include "tuile/core/error.hpp"

namespace tuile::synth {
namespace {

TEST(Town, RefusesOptionsOutOfRange) {
  const auto refused = [](auto change) {
    TownOptions options;
    change(options);
    EXPECT_THROW(make_town(options), InvalidArgument);
  };
  refused([](TownOptions& o) { o.tiles_x = 0; });
  refused([](TownOptions& o) { o.tiles_y = -3; });
  refused([](TownOptions& o) { o.size = 0.5; });
  refused([](TownOptions& o) { o.size = 100.001; });
  refused([](TownOptions& o) { o.size = std::nan(""); });
  refused([](TownOptions& o) { o.tiles_x = o.tiles_y = 101; });
  refused([](TownOptions& o) { o.density = 0; });
  refused([](TownOptions& o) { o.density = std::nan(""); });
  refused([](TownOptions& o) { o.point_format = 7; });
  refused([](TownOptions& o) { o.west = 0.5; });
  refused([](TownOptions& o) { o.south = 3e7; });
}

TEST(Town, HasEveryKindOfObjectEvenAsOneTile) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    TownOptions options;
    options.tiles_x = options.tiles_y = 1;
    options.seed = seed;
    const Town town = make_town(options);
    std::set<RoofShape> roofs;
    for (const Building& building : town.buildings) roofs.insert(building.body.roof);
    EXPECT_EQ(roofs.size(), 3U);
    EXPECT_FALSE(town.roads.empty());
    EXPECT_FALSE(town.waters.empty());
    EXPECT_FALSE(town.vegetation.empty());
    EXPECT_FALSE(town.trees.empty());
    EXPECT_FALSE(town.cars.empty());
    EXPECT_GE(town.pylons.size(), 4U);
    EXPECT_EQ(town.power_lines.size(), 1U);
  }
}

TEST(Town, TerrainIsContinuousAndGentle) {
  const Town town = make_town({});
  for (int i = 0; i < 20000; ++i) {
    const double x = 869950 + i * 0.035, y = 6616950 + i * 0.021;
    EXPECT_LT(std::abs(town.terrain(x + 0.01, y) - town.terrain(x, y)), 0.01 * 0.6);
    EXPECT_LT(std::abs(town.terrain(x, y + 0.01) - town.terrain(x, y)), 0.01 * 0.6);
  }
}

TEST(Town, ObjectsDoNotDependOnHowTheTownIsCut) {
  TownOptions whole, cut;
  whole.tiles_x = whole.tiles_y = 2;
  whole.size = 300;
  cut.tiles_x = cut.tiles_y = 6;
  cut.size = 100;
  const Town a = make_town(whole), b = make_town(cut);
  ASSERT_EQ(a.buildings.size(), b.buildings.size());
  ASSERT_EQ(a.trees.size(), b.trees.size());
  for (std::size_t i = 0; i < a.trees.size(); ++i) EXPECT_EQ(a.trees[i].position.x, b.trees[i].position.x);
}

TEST(Town, HousesStandApartAndOffTheRoads) {
  TownOptions options;
  options.tiles_x = options.tiles_y = 2;
  const Town town = make_town(options);
  for (const Building& building : town.buildings) {
    for (const Vertex& corner : building.body.footprint()) {
      EXPECT_LE(building.ground, town.terrain(corner.x, corner.y));
      for (const Road& road : town.roads) {
        for (std::size_t i = 0; i + 1 < road.line.size(); ++i) {
          EXPECT_GT(squared_distance_to_segment(road.line[i], road.line[i + 1], corner.x, corner.y), road.width * road.width / 4);
        }
      }
      int around = 0;
      for (const Building& other : town.buildings) {
        const auto ring = other.body.footprint();
        const double dx = corner.x - other.body.centre.x, dy = corner.y - other.body.centre.y;
        if (dx * dx + dy * dy < 200 && inside(ring, corner.x, corner.y)) ++around;
      }
      // Its own outline at most, or the block of flats that a lift housing stands on.
      EXPECT_LE(around, 2);
    }
  }
}

/// Where a ray goes into a solid and out, found by stepping down along it.
TEST(Geometry, CrossingMatchesSmallSteps) {
  Random random(5);
  int hits = 0, walls = 0;
  for (int i = 0; i < 3000; ++i) {
    const double t = random.uniform(-1, 1), scale = 1 / (1 + t * t);
    const RoofShape roof = static_cast<RoofShape>(i % 3);
    const Solid solid{{0, 0},
                      {(1 - t * t) * scale, 2 * t * scale},
                      random.uniform(4, 7),
                      random.uniform(2, 4),
                      -1,
                      random.uniform(3, 8),
                      roof == RoofShape::flat ? 0 : random.uniform(1, 3),
                      roof};
    const Ray ray{random.uniform(-9, 9), random.uniform(-7, 7), 0, random.uniform(-0.36, 0.36)};
    const auto within = [&](double z) {
      const double x = ray.x_at(z), y = ray.y;
      const double u = std::abs(x * solid.axis.x + y * solid.axis.y), v = std::abs(y * solid.axis.x - x * solid.axis.y);
      if (u > solid.half_length || v > solid.half_width || z < solid.bottom) return false;
      double top = solid.eave;
      const double steep = solid.rise / solid.half_width;
      if (roof == RoofShape::gabled) top += steep * (solid.half_width - v);
      if (roof == RoofShape::hipped) top += steep * std::min(solid.half_width - v, solid.half_length - u);
      return z <= top;
    };
    double first = -100;
    for (double z = 12; z >= -1; z -= 0.005) {
      if (within(z)) {
        first = z;
        break;
      }
    }
    const auto crossing = cross(ray, solid);
    if (first == -100) {
      EXPECT_TRUE(!crossing || crossing->upper - crossing->lower < 0.01);
      continue;
    }
    ++hits;
    ASSERT_TRUE(crossing);
    EXPECT_NEAR(crossing->upper, first, 0.006);
    walls += crossing->wall ? 1 : 0;
  }
  EXPECT_GT(hits, 500);
  EXPECT_GT(walls, 50);
}

TEST(Geometry, CrownCrossingLiesOnTheEllipsoid) {
  Random random(6);
  int hits = 0;
  for (int i = 0; i < 2000; ++i) {
    const Tree tree{{10, 20}, 100, 9, random.uniform(1, 4), 105, random.uniform(1, 4)};
    const Ray ray{10 + random.uniform(-5, 5), 20 + random.uniform(-4, 4), 100, random.uniform(-0.36, 0.36)};
    const auto crossing = cross(ray, tree);
    if (!crossing) continue;
    ++hits;
    for (const double z : {crossing->upper, crossing->lower}) {
      const double dx = (ray.x_at(z) - 10) / tree.crown_radius, dy = (ray.y - 20) / tree.crown_radius,
                   dz = (z - 105) / tree.crown_half_height;
      EXPECT_NEAR(dx * dx + dy * dy + dz * dz, 1, 1e-9);
    }
    EXPECT_GT(crossing->upper, crossing->lower);
  }
  EXPECT_GT(hits, 500);
}

TEST(ObjectGrid, FindsEveryBoxOverAPlace) {
  Random random(7);
  const Bounds area{-50, 100, 130, 260};
  std::vector<Bounds> boxes;
  for (int i = 0; i < 300; ++i) {
    const double x = random.uniform(-80, 150), y = random.uniform(80, 280);
    boxes.push_back({x, y, x + random.uniform(0, 30), y + random.uniform(0, 30)});
  }
  const ObjectGrid grid(area, 8, boxes);
  for (int i = 0; i < 3000; ++i) {
    const double x = random.uniform(-60, 140), y = random.uniform(90, 270);
    const auto found = grid.at(x, y);
    if (!area.contains(x, y)) {
      EXPECT_TRUE(found.empty());
      continue;
    }
    for (std::uint32_t box = 0; box < boxes.size(); ++box) {
      if (!boxes[box].contains(x, y)) continue;
      EXPECT_NE(std::find(found.begin(), found.end(), box), found.end());
    }
  }
}

TEST(Random, NormalHasUnitDeviation) {
  Random random(1);
  double sum = 0, squares = 0;
  constexpr int count = 200000;
  for (int i = 0; i < count; ++i) {
    const double value = random.normal();
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / count, 0, 0.01);
  EXPECT_NEAR(squares / count, 1, 0.02);
}

}  // namespace
}  // namespace tuile::synth
