// What must not change the marks of preprocessing: threads, instruction set, order, batches, blocks, tiling.
#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "clouds.hpp"
#include "compute/cpu/tree_walk.hpp"
#include "harness.hpp"

namespace tuile::test {
namespace {

using compute::Preprocess;
using compute::TileInput;
using compute::TileOutput;

Preprocess all_filters() {
  Preprocess p;
  p.exclude_classes = {5};
  p.statistical_outliers = {12, 1.5};
  p.radius_outliers = {0.6, 4};
  p.voxel = 0.25;
  return p;
}

features::FeaturePlan plan_of() { return features::make_plan(features::set_columns("lod3"), {{10, 0, 200}}); }

::testing::AssertionResult same(const TileOutput& a, const TileOutput& b) {
  if (a.removed != b.removed) return ::testing::AssertionFailure() << "counts differ";
  if (!std::equal(a.valid.begin(), a.valid.end(), b.valid.begin(), b.valid.end())) return ::testing::AssertionFailure() << "marks differ";
  if (a.features.values.size() != b.features.values.size() ||
      std::memcmp(a.features.values.data(), b.features.values.data(), a.features.values.bytes()) != 0) {
    return ::testing::AssertionFailure() << "values differ";
  }
  return ::testing::AssertionSuccess();
}

/// A town parted in the middle, its right half as halo of the left one.
struct Halves {
  explicit Halves(std::uint32_t seed, std::size_t points = 30'000) {
    const Cloud all = town(points, 5000, seed);
    Cloud left, right;
    for (std::size_t i = 0; i < all.points.size(); ++i) {
      Cloud& part = all.points[i].x < 2500 ? left : right;
      part.points.push_back(all.points[i]);
      part.classes.push_back(all.classes[i]);
    }
    core = block_of(left);
    halo = block_of(right);
  }
  TileInput tile() const { return tile_of(core, &halo); }
  PointBlock core, halo;
};

TEST(FilterInvariance, ThreadsInstructionSetsAndBatches) {
  const Halves halves(31), others(32, 3000);
  Executor one(1);
  const TileOutput expected = compute_one(*backend(one, "portable"), halves.tile(), plan_of(), all_filters());
  EXPECT_GT(expected.removed.statistical, 0U);
  EXPECT_GT(expected.removed.radius, 0U);
  EXPECT_GT(expected.removed.voxel, 0U);
  const std::vector<TileInput> tiles{others.tile(), halves.tile()};
  for (const int threads : {1, 5}) {
    Executor executor(threads);
    for (const std::string& simd : instruction_sets()) {
      const auto outputs = backend(executor, simd)->compute(tiles, plan_of(), all_filters(), {});
      EXPECT_TRUE(same(outputs[1], expected)) << simd << ", " << threads << " threads";
    }
  }
}

TEST(FilterInvariance, Blocks) {
  const Halves halves(33, 60'000);
  Executor executor(3);
  const TileOutput expected = compute_one(*backend(executor), halves.tile(), plan_of(), all_filters());
  for (const std::uint64_t points : {1U, 4000U, 20'000U}) {
    const auto limited = compute::make_backend("cpu", executor, {.memory = points * compute::cpu::search_bytes_per_point});
    EXPECT_TRUE(same(compute_one(*limited, halves.tile(), plan_of(), all_filters()), expected)) << points << " points";
  }
}

// Lonely points look for their neighbours far beyond their block.
TEST(FilterInvariance, BlocksWithPointsFarApart) {
  Cloud cloud = town(20'000, 3000, 34);
  std::mt19937 random(35);
  const auto one = [&](std::uint32_t range) { return static_cast<std::int32_t>(random() % range); };
  for (int i = 0; i < 300; ++i) cloud.points.push_back({one(40'000'000) - 20'000'000, one(200'000), one(5000)});
  cloud.classes.resize(cloud.points.size(), 1);
  const PointBlock core = block_of(cloud), halo = block_of(town(4000, 3000, 36));
  Executor executor(2);
  Preprocess preprocess;
  preprocess.statistical_outliers = {30, 0.2};
  const auto plan = features::make_plan({"planarity"}, {{}});
  const TileOutput expected = compute_one(*backend(executor), tile_of(core, &halo), plan, preprocess);
  for (std::size_t i = 20'000; i < core.size(); ++i) EXPECT_EQ(expected.valid[i], 0);
  const auto limited = compute::make_backend("cpu", executor, {.memory = 3000 * compute::cpu::search_bytes_per_point});
  EXPECT_TRUE(same(compute_one(*limited, tile_of(core, &halo), plan, preprocess), expected));
}

TEST(FilterInvariance, PointOrder) {
  Cloud cloud = town(12'000, 2500, 37);
  for (std::size_t i = 0; i < 400; ++i) {  // copies: of these the first stays, whichever that is
    cloud.points.push_back(cloud.points[i * 3]);
    cloud.classes.push_back(cloud.classes[i * 3]);
  }
  std::vector<std::size_t> order(cloud.points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937(6));
  Cloud shuffled;
  for (const std::size_t i : order) {
    shuffled.points.push_back(cloud.points[i]);
    shuffled.classes.push_back(cloud.classes[i]);
  }
  const PointBlock a = block_of(cloud), b = block_of(shuffled);
  Executor executor(2);
  Preprocess preprocess = all_filters();
  const auto plan = features::make_plan({"planarity"}, {{}});
  const TileOutput x = compute_one(*backend(executor), tile_of(a), plan, preprocess);
  const TileOutput y = compute_one(*backend(executor), tile_of(b), plan, preprocess);
  EXPECT_EQ(x.removed, y.removed);
  const auto left = [](const PointBlock& block, const TileOutput& out) {
    std::vector<std::array<std::int32_t, 3>> points;
    for (std::size_t i = 0; i < block.size(); ++i) {
      if (out.valid[i] != 0) points.push_back({block.units[i].x, block.units[i].y, block.units[i].z});
    }
    std::sort(points.begin(), points.end());
    return points;
  };
  EXPECT_EQ(left(a, x), left(b, y));
  // Without voxels the marks go with the points.
  preprocess.voxel = 0;
  const TileOutput u = compute_one(*backend(executor), tile_of(a), plan, preprocess);
  const TileOutput v = compute_one(*backend(executor), tile_of(b), plan, preprocess);
  for (std::size_t i = 0; i < order.size(); ++i) ASSERT_EQ(v.valid[i], u.valid[order[i]]);
}

/// Radius and voxel filters look as far as Preprocess::reach(): with a halo wider by so much nothing depends on the tiling.
TEST(FilterInvariance, QuartersWithHaloEqualTheWhole) {
  const Cloud cloud = town(15'000, 4000, 38);
  const PointBlock whole = block_of(cloud);
  Preprocess preprocess;
  preprocess.exclude_classes = {6};
  preprocess.radius_outliers = {0.55, 4};
  preprocess.voxel = 0.5;
  constexpr std::int32_t middle = 2000, halo_units = 600;
  const auto wide = halo_units + static_cast<std::int32_t>(std::ceil(preprocess.reach() * 100));
  TileInput whole_tile = tile_of(whole);
  whole_tile.bounds = {0, 0, 4000, 4000};
  whole_tile.halo_width = 1e6;
  Executor executor(2);
  const auto cpu = backend(executor);
  const auto plan = features::make_plan({"planarity", "normal_z", "density", "num_points_2m"}, {{12, 0, 200}});
  const TileOutput expected = compute_one(*cpu, whole_tile, plan, preprocess);
  EXPECT_GT(expected.removed.radius, 100U);
  TileOutput::Removed removed;
  for (int quarter = 0; quarter < 4; ++quarter) {
    const bool east = quarter % 2 != 0, north = quarter / 2 != 0;
    const GridBounds bounds{east ? middle : 0, north ? middle : 0, east ? 4000 : middle - 1, north ? 4000 : middle - 1};
    Cloud inside, around;
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < cloud.points.size(); ++i) {
      const GridPoint p = cloud.points[i];
      const bool core = bounds.contains(p.x, p.y);
      if (core) rows.push_back(i);
      if (core || (p.x >= bounds.min_x - wide && p.x <= bounds.max_x + wide && p.y >= bounds.min_y - wide && p.y <= bounds.max_y + wide)) {
        (core ? inside : around).points.push_back(p);
        (core ? inside : around).classes.push_back(cloud.classes[i]);
      }
    }
    const PointBlock core = block_of(inside), halo = block_of(around);
    TileInput tile = tile_of(core, &halo);
    tile.bounds = bounds;
    tile.halo_width = halo_units * 0.01;
    const TileOutput got = compute_one(*cpu, tile, plan, preprocess);
    EXPECT_EQ(got.truncated_neighbourhoods, 0U);
    removed.classes += got.removed.classes;
    removed.radius += got.removed.radius;
    removed.voxel += got.removed.voxel;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      ASSERT_EQ(got.valid[r], expected.valid[rows[r]]);
      for (std::size_t c = 0; c < plan.columns.size(); ++c) {
        ASSERT_EQ(std::bit_cast<std::uint32_t>(got.features.at(r, c)), std::bit_cast<std::uint32_t>(expected.features.at(rows[r], c)));
      }
    }
  }
  EXPECT_EQ(removed, expected.removed);
}

}  // namespace
}  // namespace tuile::test
