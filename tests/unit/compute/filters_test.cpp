// Preprocessing against brute force: every filter alone and all together, for every instruction set.
#include <cmath>

#include "clouds.hpp"
#include "filter_oracle.hpp"
#include "harness.hpp"

namespace tuile::test {
namespace {

using compute::Preprocess;
using compute::TileInput;
using compute::TileOutput;

Preprocess statistical(int k, double deviations) {
  Preprocess p;
  p.statistical_outliers = {k, deviations};
  return p;
}
Preprocess radius(double metres, int wanted) {
  Preprocess p;
  p.radius_outliers = {metres, wanted};
  return p;
}
Preprocess voxel(double size) {
  Preprocess p;
  p.voxel = size;
  return p;
}
Preprocess everything() {
  Preprocess p;
  p.exclude_classes = {5, 65};
  p.statistical_outliers = {8, 2};
  p.radius_outliers = {0.8, 3};
  p.voxel = 0.5;
  return p;
}

/// A few points far above and below, alone and in pairs; of class 1.
Cloud with_outliers(Cloud cloud, std::int32_t side, int count, std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto one = [&](std::int32_t range) { return static_cast<std::int32_t>(random() % static_cast<std::uint32_t>(range)); };
  for (int i = 0; i < count; ++i) {
    const GridPoint p{one(side), one(side), (i % 2 == 0 ? 3000 : -4000) + one(1000)};
    cloud.points.push_back(p);
    if (i % 3 == 0) cloud.points.push_back({p.x + one(20), p.y, p.z});
  }
  cloud.classes.resize(cloud.points.size(), 1);
  return cloud;
}

Cloud random_cloud(std::size_t count, std::int32_t reach, std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto one = [&] { return static_cast<std::int32_t>(static_cast<std::int64_t>(random()) % (std::int64_t{2} * reach + 1) - reach); };
  Cloud cloud;
  for (std::size_t i = 0; i < count; ++i) cloud.points.push_back({one(), one(), one()});
  return cloud;
}

/// Marks, counts and NaN of a tile, and that the features are those of the points that are left.
TileOutput compare(const Cloud& core, const Cloud& halo, const Preprocess& preprocess, double scale = 0.01,
                   std::array<std::int64_t, 3> origin = {0, 0, 0}) {
  FilterOracle oracle(core, halo, scale, origin);
  oracle.run(preprocess);
  EXPECT_EQ(oracle.undecided, 0U) << "the case says nothing";
  const PointBlock block = block_of(core, scale, origin), around = block_of(halo, scale, origin);
  const TileInput tile = tile_of(block, &around);
  const auto plan = features::make_plan({"planarity", "num_points_2m", "z"}, {{5, 0, 200}});
  // What is left of core, and of halo, as a tile of its own.
  Cloud core_left, halo_left;
  for (std::size_t i = 0; i < oracle.valid.size(); ++i) {
    if (oracle.valid[i] == 0) continue;
    const bool inner = i < core.points.size();
    const std::size_t at = inner ? i : i - core.points.size();
    (inner ? core_left : halo_left).points.push_back((inner ? core : halo).points[at]);
  }
  const PointBlock left = block_of(core_left, scale, origin), left_around = block_of(halo_left, scale, origin);
  Executor executor(2);
  const TileOutput expected = compute_one(*backend(executor), tile_of(left, &left_around), plan);
  TileOutput out;
  for (const std::string& simd : instruction_sets()) {
    out = compute_one(*backend(executor, simd), tile, plan, preprocess);
    EXPECT_EQ(out.removed, oracle.removed) << simd;
    EXPECT_EQ(out.valid.size(), block.size());
    std::size_t wrong = 0, row = 0;
    for (std::size_t i = 0; i < block.size(); ++i) {
      wrong += out.valid[i] != oracle.valid[i] ? 1 : 0;
      EXPECT_FALSE(std::isnan(out.features.at(i, 2)));
      for (std::size_t c = 0; c < 2; ++c) {
        const float got = out.features.at(i, c);
        if (oracle.valid[i] == 0) {
          EXPECT_TRUE(std::isnan(got));
        } else if (wrong == 0) {
          EXPECT_EQ(got, expected.features.at(row, c));
        }
      }
      row += oracle.valid[i];
    }
    EXPECT_EQ(wrong, 0U) << simd;
    EXPECT_EQ(out.degenerate_neighbourhoods, expected.degenerate_neighbourhoods);
  }
  return out;
}

TEST(Filters, StatisticalOutliersOfATown) {
  const Cloud cloud = with_outliers(town(2500, 2000, 1), 2000, 20, 2);
  const TileOutput out = compare(cloud, {}, statistical(12, 2));
  for (std::size_t i = 2500; i < cloud.points.size(); ++i) EXPECT_EQ(out.valid[i], 0) << "planted " << i;
  EXPECT_LT(out.removed.statistical, 200U);
  compare(cloud, {}, statistical(1, 1));
  compare(cloud, {}, statistical(100, 0.5));
  compare(with_outliers(town(1500, 20'000, 3), 20'000, 9, 4), {}, statistical(12, 1.5), 0.001);
}

TEST(Filters, RadiusOutliersOfATown) {
  const Cloud cloud = with_outliers(town(2500, 2000, 5), 2000, 20, 6);
  const TileOutput out = compare(cloud, {}, radius(1.0, 4));
  for (std::size_t i = 2500; i < cloud.points.size(); ++i) EXPECT_EQ(out.valid[i], 0) << "planted " << i;
  compare(cloud, {}, radius(0.2, 1));
  compare(cloud, {}, radius(5.0, 400));
  compare(cloud, {}, radius(60.0, 2400));  // beyond float32
}

TEST(Filters, VoxelsOfATown) {
  const Cloud cloud = town(3000, 1000, 7);
  const TileOutput out = compare(cloud, {}, voxel(0.5));
  EXPECT_GT(out.removed.voxel, 500U);
  compare(cloud, {}, voxel(0.3333));  // not whole in units
  compare(cloud, {}, voxel(0.004));   // below a unit: only copies go
  compare(cloud, {}, voxel(1e-18));
  compare(cloud, {}, voxel(1000));
  compare(cloud, {}, voxel(0.5), 0.01, {-513, 680'000'017, -77});
  compare(cloud, {}, voxel(0.07), 0.03048);
  // More than one part, and runs of several pieces.
  compare(town(60'000, 4000, 8), {}, voxel(0.25));
}

TEST(Filters, OneAfterTheOther) {
  const Cloud core = with_outliers(town(1800, 1500, 9), 1500, 12, 10);
  Cloud halo = with_outliers(town(700, 1500, 11), 1500, 6, 12);
  for (GridPoint& p : halo.points) p.x += 1500;
  const TileOutput out = compare(core, halo, everything());
  EXPECT_GT(out.removed.classes, 0U);
  EXPECT_GT(out.removed.statistical, 0U);
  EXPECT_GT(out.removed.radius, 0U);
  EXPECT_GT(out.removed.voxel, 0U);
  Preprocess two = radius(0.8, 3);
  two.voxel = 0.4;
  compare(core, halo, two);
  two = statistical(6, 1);
  two.voxel = 1;
  compare(core, halo, two);
}

TEST(Filters, OddShapes) {
  Cloud grid, line, copies;
  for (std::int32_t i = 0; i < 1000; ++i) grid.points.push_back({i % 10 * 30, i / 10 % 10 * 30, i / 100 * 30});
  for (std::int32_t i = 0; i < 600; ++i) line.points.push_back({i * i, 7, -i});
  copies = with_outliers(town(300, 500, 13), 500, 3, 14);
  for (int i = 0; i < 700; ++i) copies.points.push_back({100, 100, 10 + i % 2});
  for (const Cloud& cloud : {grid, line, copies}) {
    compare(cloud, {}, statistical(7, 1.3));
    compare(cloud, {}, radius(0.3, 5));  // 30 units exactly
    compare(cloud, {}, voxel(0.6));
    compare(cloud, {}, everything());
  }
}

TEST(Filters, FarApart) {
  compare(random_cloud(500, 1'000'000, 15), {}, statistical(12, 1));
  compare(random_cloud(400, 2'000'000'000, 16), {}, statistical(12, 1), 0.001);
  compare(random_cloud(400, 2'000'000'000, 17), {}, voxel(900), 0.001);
  Cloud dense = town(800, 800, 18);  // one spot of many and one far away: float32 cannot hold their coordinates
  for (std::size_t i = 0; i < dense.points.size(); i += 2) dense.points[i].x += 1'000'000'000;
  compare(dense, {}, everything());
}

TEST(Filters, FewPoints) {
  for (const std::size_t n : {0U, 1U, 2U, 3U, 12U, 13U, 14U}) {
    const Cloud cloud = random_cloud(n, 60, 19);
    compare(cloud, {}, statistical(12, 0.5));
    compare(cloud, {}, radius(0.5, 1));
    compare(cloud, {}, voxel(0.5));
    compare({}, cloud, everything());
    compare(cloud, cloud, everything());
  }
}

TEST(Filters, AllEqualDistancesLeaveEveryPoint) {
  Cloud cloud;
  for (int i = 0; i < 300; ++i) cloud.points.push_back({5, 6, 7});
  EXPECT_EQ(compare(cloud, {}, statistical(12, 0.1)).removed.statistical, 0U);
  const TileOutput thinned = compare(cloud, cloud, voxel(0.5));
  EXPECT_EQ(thinned.valid[0], 1);  // the first by index, core before halo
  EXPECT_EQ(thinned.removed.voxel, 299U);
  Cloud circle;  // the corners of a square: all distances are the same
  for (const auto& [x, y] : {std::pair{0, 0}, {0, 77}, {77, 0}, {77, 77}}) circle.points.push_back({x, y, 3});
  EXPECT_EQ(compare(circle, {}, statistical(3, 0.001)).removed.statistical, 0U);
}

TEST(Filters, NothingOrOnlyHaloLeft) {
  const Cloud sparse = random_cloud(50, 100'000, 20);
  EXPECT_EQ(compare(sparse, {}, radius(0.5, 1)).removed.radius, 50U);
  Cloud dense = town(500, 400, 21);
  EXPECT_EQ(compare(sparse, dense, radius(0.5, 1)).removed.radius, 50U);
  Preprocess all_classes = everything();
  all_classes.exclude_classes = {1, 2, 5, 6};
  EXPECT_EQ(compare(dense, {}, all_classes).removed.classes, 500U);
  Cloud excluded = dense;
  std::fill(excluded.classes.begin(), excluded.classes.end(), std::uint8_t{65});
  const TileOutput halo_only = compare(excluded, dense, everything());
  EXPECT_EQ(halo_only.removed.classes, 500U);
}

}  // namespace
}  // namespace tuile::test
