// Every feature against brute force, for every instruction set.
#include "oracle.hpp"

#include <chrono>
#include <cmath>
#include <cstring>
#include <iostream>

#include "clouds.hpp"
#include "compute/host/ground_surface.hpp"
#include "harness.hpp"

namespace tuile::test {
namespace {

using features::Feature;
using features::Neighbourhood;

/// Computes all neighbourhood features and compares each with the oracle's, for every `step`-th point.
void compare(const Cloud& cloud, const Neighbourhood& scale, double unit, std::size_t step = 1) {
  std::vector<std::string> names;
  for (std::size_t f = 0; f < features::feature_count; ++f) {
    const auto& info = features::info(static_cast<Feature>(f));
    if (info.neighbourhood || info.feature == Feature::num_points_2m || info.feature == Feature::height_above_ground) {
      names.emplace_back(info.name);
    }
  }
  const features::FeaturePlan plan = features::make_plan(names, {scale});
  const PointBlock block = block_of(cloud, unit);
  std::vector<GridPoint> ground;
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (block.classification[i] == 2) ground.push_back(block.units[i]);
  }
  const compute::GroundSurface surface(ground, block.grid);
  compute::GroundSurface::Cursor cursor(surface);
  std::vector<compute::TileOutput> outputs;
  Executor executor(2);
  for (const std::string& simd : instruction_sets()) outputs.push_back(compute_one(*backend(executor, simd), tile_of(block), plan));
  std::uint64_t degenerate = 0;
  for (std::size_t i = 0; i < block.size(); i += step) {
    const auto v = Oracle::values(Oracle::neighbours(cloud.points, i, scale, unit), unit);
    degenerate += v.degenerate ? 1 : 0;
    const double within = static_cast<double>(Oracle::neighbours(cloud.points, i, {20, 2.0, 1 << 30}, unit).size());
    const double height = surface.empty() ? std::nan("") : (block.units[i].z - cursor.height(block.units[i].x, block.units[i].y)) * unit;
    for (std::size_t c = 0; c < plan.columns.size(); ++c) {
      const Feature feature = plan.columns[c].feature;
      const float got = outputs[0].features.at(i, c);
      const bool needs_ground = feature == Feature::height_above_ground || feature == Feature::facade_score;
      if (needs_ground && surface.empty()) {
        ASSERT_TRUE(std::isnan(got)) << plan.columns[c].name;
        continue;
      }
      ASSERT_FALSE(std::isnan(got)) << plan.columns[c].name << " of point " << i;
      if (feature == Feature::num_points_2m) {
        ASSERT_EQ(got, within) << "point " << i;
      } else if (feature == Feature::height_above_ground) {
        ASSERT_FLOAT_EQ(got, static_cast<float>(height)) << "point " << i;
      } else {
        const double expected = v.of(feature, height);
        ASSERT_TRUE(agrees(feature, got, expected, v))
            << plan.columns[c].name << " of point " << i << ": " << got << ", expected " << expected << " (eigenvalues " << v.l1 << ' '
            << v.l2 << ' ' << v.l3 << ", n " << v.n << ')';
      }
    }
  }
  if (step == 1) {
    EXPECT_EQ(outputs[0].degenerate_neighbourhoods, degenerate);
  }
  for (const compute::TileOutput& other : outputs) {
    ASSERT_EQ(std::memcmp(other.features.values.data(), outputs[0].features.values.data(), outputs[0].features.values.bytes()), 0)
        << "instruction sets differ";
    EXPECT_EQ(other.truncated_neighbourhoods, 0U);
  }
}

Cloud random_points(std::size_t count, std::int32_t reach, std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto one = [&] { return static_cast<std::int32_t>(static_cast<std::int64_t>(random()) % (std::int64_t{2} * reach + 1) - reach); };
  Cloud cloud;
  for (std::size_t i = 0; i < count; ++i) cloud.points.push_back({one(), one(), one()});
  return cloud;
}

TEST(Oracle, TownNearest) { compare(town(6000, 2000, 1), {20, 0, 200}, 0.01); }
TEST(Oracle, TownFewNeighbours) { compare(town(3000, 1500, 2), {3, 0, 200}, 0.01); }
TEST(Oracle, TownManyNeighbours) { compare(town(5000, 2000, 3), {300, 0, 200}, 0.01, 7); }
TEST(Oracle, TownMostNeighbours) { compare(town(6000, 2000, 4), {4096, 0, 200}, 0.01, 211); }
TEST(Oracle, TownRadius) { compare(town(6000, 2000, 5), {20, 1.0, 65536}, 0.01); }
TEST(Oracle, TownRadiusCapped) { compare(town(6000, 2000, 6), {20, 1.5, 40}, 0.01); }
TEST(Oracle, TownTinyRadius) { compare(town(3000, 2000, 7), {20, 0.05, 200}, 0.01); }
TEST(Oracle, TownMillimetres) { compare(town(4000, 20000, 8), {20, 0, 200}, 0.001); }
TEST(Oracle, TownWideRadius) { compare(town(3000, 4000, 9), {20, 30.0, 1000}, 0.01, 13); }
TEST(Oracle, RadiusBeyondFloat) { compare(town(2000, 20000, 10), {20, 60.0, 500}, 0.01, 11); }

TEST(Oracle, GridOfTies) {
  Cloud cloud;
  for (std::int32_t x = 0; x < 18; ++x) {
    for (std::int32_t y = 0; y < 18; ++y) {
      for (std::int32_t z = 0; z < 6; ++z) cloud.points.push_back({x * 30, y * 30, z * 30});
    }
  }
  for (const int k : {4, 8, 20, 100}) compare(cloud, {k, 0, 200}, 0.01, 3);
  compare(cloud, {20, 0.6, 20}, 0.01, 3);
}

TEST(Oracle, FarApart) {
  // Squared distances of 10^12 and more: beyond float32.
  compare(random_points(800, 1'000'000, 11), {20, 0, 200}, 0.01);
  compare(random_points(800, 8000, 12), {20, 0, 200}, 0.01);
}

TEST(Oracle, HugeCoordinates) {
  compare(random_points(600, 2'000'000'000, 13), {20, 0, 200}, 0.001);
  Cloud cloud = town(2000, 1500, 14);  // a dense spot and one far away: coordinates that float32 cannot hold
  for (std::size_t i = 0; i < cloud.points.size(); i += 2) cloud.points[i].x += 1'000'000'000;
  compare(cloud, {20, 0, 200}, 0.01, 3);
}

TEST(Oracle, FewerPointsThanNeighbours) {
  for (const std::size_t n : {1U, 2U, 3U, 7U, 19U, 20U, 21U}) compare(random_points(n, 50, 15), {20, 0, 200}, 0.01);
}

TEST(Oracle, LineColumnAndPlane) {
  Cloud line, column, plane;
  for (std::int32_t i = 0; i < 3000; ++i) line.points.push_back({i * 3, i * 2, 0});
  for (std::int32_t i = 0; i < 3000; ++i) column.points.push_back({5, 5, i * 2});
  for (std::int32_t i = 0; i < 3000; ++i) plane.points.push_back({i % 60 * 10, i / 60 * 11, i % 60 * 5});
  compare(line, {20, 0, 200}, 0.01, 7);
  compare(column, {20, 0, 200}, 0.01, 7);
  compare(plane, {20, 0, 200}, 0.01, 7);
}

TEST(Oracle, DensityJump) {
  Cloud cloud = town(2500, 8000, 16);
  const Cloud dense = town(2500, 400, 17);
  cloud.points.insert(cloud.points.end(), dense.points.begin(), dense.points.end());
  cloud.classes.insert(cloud.classes.end(), dense.classes.begin(), dense.classes.end());
  compare(cloud, {20, 0, 200}, 0.01, 3);
}

/// Trees: every beam's column from the ground up, over ground of a point in 25 cm.
TEST(Oracle, VegetationColumns) {
  Cloud cloud = random_points(0, 1, 1);
  std::mt19937 random(40);
  for (int i = 0; i < 6000; ++i) {
    const auto tree = static_cast<std::int32_t>(random() % 6);
    cloud.points.push_back({tree * 700 + static_cast<std::int32_t>(random() % 25), tree * 300 + static_cast<std::int32_t>(random() % 25),
                            static_cast<std::int32_t>(random() % 3000)});
    cloud.classes.push_back(5);
  }
  for (int i = 0; i < 1500; ++i) {
    cloud.points.push_back(
        {static_cast<std::int32_t>(random() % 4000), static_cast<std::int32_t>(random() % 2000), static_cast<std::int32_t>(random() % 5)});
    cloud.classes.push_back(2);
  }
  compare(cloud, {20, 0, 200}, 0.01, 3);
  compare(cloud, {20, 1.0, 100}, 0.01, 7);
}

/// Sagging lines a point thick, far from all else.
TEST(Oracle, PowerLines) {
  Cloud cloud = town(1500, 6000, 41);
  for (std::int32_t i = 0; i < 4500; ++i) {
    const std::int32_t x = i * 4 - 6000, line = i % 3;
    cloud.points.push_back({x, 2000 + line * 400, 4000 + x * x / 40'000});
    cloud.classes.push_back(1);
  }
  compare(cloud, {20, 0, 200}, 0.01, 3);
  compare(cloud, {20, 1.0, 200}, 0.01, 7);
}

/// A cube of two metres where every eighth place is taken: the surface of each ball cuts through many buckets.
TEST(Oracle, FilledCube) {
  Cloud cloud = random_points(60'000, 100, 42);
  compare(cloud, {20, 0, 200}, 0.01, 601);
  compare(cloud, {20, 1.0, 1000}, 0.01, 1201);
  compare(cloud, {20, 0, 200}, 0.001, 3001);  // millimetres: the ball of two metres holds all, that of the group does not fit products
}

/// Ten thousand copies of one point amid others.
TEST(Oracle, TenThousandEqualPoints) {
  Cloud cloud = town(4000, 1500, 43);
  for (int i = 0; i < 10'000; ++i) {
    cloud.points.push_back({700, 700, 100});
    cloud.classes.push_back(1);
  }
  compare(cloud, {20, 0, 200}, 0.01, 37);
  compare(cloud, {20, 1.0, 200}, 0.01, 101);
}

TEST(Oracle, Duplicates) {
  Cloud cloud = town(1000, 1000, 18);
  for (std::size_t i = 0; i < 1000; ++i) {
    for (std::size_t copy = 0; copy < i % 40; copy += 7) {
      cloud.points.push_back(cloud.points[i]);
      cloud.classes.push_back(cloud.classes[i]);
    }
  }
  compare(cloud, {20, 0, 200}, 0.01, 3);
}

/// `copies` points spread over a cube of `side` units beside a town that reaches into it.
Cloud heap(std::size_t town_points, std::size_t copies, std::uint32_t side, std::uint32_t seed) {
  Cloud cloud = town(town_points, 1500, seed);
  std::mt19937 random(seed);
  const auto one = [&](std::int32_t from) { return static_cast<std::int32_t>(from + static_cast<std::int64_t>(random() % (side + 1))); };
  for (std::size_t i = 0; i < copies; ++i) {
    cloud.points.push_back({one(700), one(300), one(60)});
    cloud.classes.push_back(1);
  }
  return cloud;
}

// What follows lists more buckets than one walk may, so that every way round that is taken.
TEST(Oracle, HeapOfCopies) {
  const Cloud cloud = heap(2000, 8000, 0, 19);
  compare(cloud, {20, 0, 200}, 0.01, 41);
  compare(cloud, {20, 1.0, 200}, 0.01, 41);
  compare(cloud, {20, 1.0, 65536}, 0.01, 101);
  compare(cloud, {4096, 0, 200}, 0.01, 401);
}
TEST(Oracle, HeapOfNearCopies) {
  const Cloud cloud = heap(2000, 10000, 3, 20);
  compare(cloud, {20, 0, 200}, 0.01, 41);
  compare(cloud, {200, 0, 200}, 0.01, 101);
  compare(cloud, {20, 1.0, 50}, 0.01, 41);
  compare(cloud, {20, 1.0, 65536}, 0.01, 101);
}
TEST(Oracle, DenseHeap) {
  const Cloud cloud = heap(1000, 12000, 40, 21);
  compare(cloud, {20, 0, 200}, 0.01, 67);
  compare(cloud, {20, 1.0, 20}, 0.01, 67);
  compare(cloud, {20, 0.5, 300}, 0.01, 67);
  compare(cloud, {20, 0.003, 300}, 0.01, 67);
}
TEST(Oracle, HeapsBeyondFloat) {
  Cloud cloud = heap(1500, 5000, 2, 22);
  for (std::size_t i = 0; i < 1500; i += 2) cloud.points[i].x += 1'000'000'000;
  compare(cloud, {20, 0, 200}, 0.01, 41);
  compare(cloud, {20, 1.0, 100}, 0.01, 41);
}

// Half a million points in two spots, looked at pair by pair, would take many minutes.
TEST(Oracle, ManyCopiesTakeNoLonger) {
  constexpr std::size_t copies = 200'000;
  Cloud cloud = heap(20'000, copies, 3, 23);
  cloud.points.insert(cloud.points.end(), copies, {100, 1200, 50});
  cloud.classes.resize(cloud.points.size(), 1);
  const PointBlock block = block_of(cloud);
  Executor executor(2);
  const auto cpu = backend(executor);
  for (const Neighbourhood& scale : {Neighbourhood{20}, Neighbourhood{20, 1.0, 200}}) {
    const auto plan = features::make_plan({"neighborhood_extent", "eigenvalue_1", "num_points_2m"}, {scale});
    const auto start = std::chrono::steady_clock::now();
    const auto out = compute_one(*cpu, tile_of(block), plan);
    std::cout << scale.suffix() << ": " << std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() << " s\n";
    for (std::size_t i = 20'000; i < block.size(); ++i) {
      ASSERT_EQ(out.features.at(i, 0), 0.0F);
      ASSERT_EQ(out.features.at(i, 1), 0.0F);
    }
    for (const std::size_t i : {std::size_t{20'000}, block.size() - 1}) {
      EXPECT_EQ(out.features.at(i, 2), static_cast<float>(Oracle::neighbours(cloud.points, i, {20, 2.0, 1 << 30}, 0.01).size()));
    }
  }
}

}  // namespace
}  // namespace tuile::test
