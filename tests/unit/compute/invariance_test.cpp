// What must not change the numbers: order, origin, threads, instruction set, batching, tiling.
#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>

#include "clouds.hpp"
#include "harness.hpp"

namespace tuile::test {
namespace {

using compute::TileInput;
using compute::TileOutput;

features::FeaturePlan full_plan() { return features::make_plan(features::set_columns("full"), {{20, 0, 200}, {20, 0.8, 30}}); }

::testing::AssertionResult same(const TileOutput& a, const TileOutput& b) {
  if (a.features.values.size() != b.features.values.size()) return ::testing::AssertionFailure() << "sizes differ";
  // As bits: NaN must equal NaN.
  const auto bits_equal = [](float x, float y) { return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y); };
  if (!std::equal(a.features.values.begin(), a.features.values.end(), b.features.values.begin(), bits_equal)) {
    return ::testing::AssertionFailure() << "values differ";
  }
  if (a.degenerate_neighbourhoods != b.degenerate_neighbourhoods || a.truncated_neighbourhoods != b.truncated_neighbourhoods) {
    return ::testing::AssertionFailure() << "counts differ";
  }
  return ::testing::AssertionSuccess();
}

TEST(Invariance, ThreadsInstructionSetsAndRepetition) {
  const PointBlock block = coloured(block_of(town(20000, 4000, 21)));
  const features::FeaturePlan plan = full_plan();
  Executor one(1);
  const TileOutput expected = compute_one(*backend(one, "portable"), tile_of(block), plan);
  for (const int threads : {1, 2, 7}) {
    Executor executor(threads);
    for (const std::string& simd : instruction_sets()) {
      EXPECT_TRUE(same(compute_one(*backend(executor, simd), tile_of(block), plan), expected)) << simd << ", " << threads << " threads";
    }
  }
}

TEST(Invariance, PointOrder) {
  const Cloud cloud = town(8000, 2500, 22);
  std::vector<std::size_t> order(cloud.points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937(5));
  Cloud shuffled;
  for (const std::size_t i : order) {
    shuffled.points.push_back(cloud.points[i]);
    shuffled.classes.push_back(cloud.classes[i]);
  }
  const PointBlock a = block_of(cloud), b = block_of(shuffled);
  Executor executor(2);
  const auto plan = features::make_plan(features::set_columns("lod3"), {{}});
  const TileOutput x = compute_one(*backend(executor), tile_of(a), plan), y = compute_one(*backend(executor), tile_of(b), plan);
  const std::size_t columns = plan.columns.size();
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (std::size_t c = 0; c < columns; ++c) {
      if (plan.columns[c].feature == features::Feature::red || std::isnan(y.features.at(i, c))) continue;
      ASSERT_EQ(y.features.at(i, c), x.features.at(order[i], c)) << plan.columns[c].name;
    }
  }
}

TEST(Invariance, Origin) {
  const Cloud cloud = town(8000, 2500, 23);
  Cloud moved = cloud;
  for (GridPoint& p : moved.points) p = {p.x - 900'000, p.y + 700'001, p.z + 13};
  const PointBlock here = block_of(cloud), there = block_of(cloud, 0.01, {0, 680'000'000, 0}), shifted = block_of(moved);
  Executor executor(2);
  std::vector<std::string> names = features::set_columns("lod3");
  names.erase(names.begin(), names.begin() + 3);  // x, y, z are relative to the origin
  const auto plan = features::make_plan(names, {{}});
  const TileOutput expected = compute_one(*backend(executor), tile_of(here), plan);
  EXPECT_TRUE(same(compute_one(*backend(executor), tile_of(there), plan), expected));
  // Moved on the grid the ground is thinned in other cells; all else stays.
  const TileOutput other = compute_one(*backend(executor), tile_of(shifted), plan);
  for (std::size_t i = 0; i < cloud.points.size(); ++i) {
    for (std::size_t c = 0; c < plan.columns.size(); ++c) {
      const auto feature = plan.columns[c].feature;
      if (feature == features::Feature::height_above_ground || feature == features::Feature::facade_score) continue;
      if (std::isnan(expected.features.at(i, c))) continue;
      ASSERT_EQ(other.features.at(i, c), expected.features.at(i, c)) << plan.columns[c].name;
    }
  }
}

TEST(Invariance, Batches) {
  const PointBlock a = block_of(town(5000, 2000, 24)), b = block_of(town(300, 500, 25)), c = block_of(Cloud{});
  const std::vector<TileInput> tiles{tile_of(a), tile_of(b), tile_of(c)};
  Executor executor(2);
  const auto cpu = backend(executor);
  const auto together = cpu->compute(tiles, full_plan(), {}, {});
  ASSERT_EQ(together.size(), 3U);
  for (std::size_t i = 0; i < tiles.size(); ++i) EXPECT_TRUE(same(compute_one(*cpu, tiles[i], full_plan()), together[i])) << i;
}

TEST(Invariance, QuartersWithHaloEqualTheWhole) {
  const Cloud cloud = town(20000, 4000, 26);
  const PointBlock whole = block_of(cloud);
  constexpr std::int32_t middle = 2000, halo_units = 600;
  TileInput whole_tile = tile_of(whole);
  whole_tile.bounds = {0, 0, 4000, 4000};
  whole_tile.halo_width = 1e6;
  Executor executor(2);
  const auto cpu = backend(executor);
  std::vector<std::string> names = features::set_columns("lod3");
  names.erase(names.begin(), names.begin() + 3);
  const auto plan = features::make_plan(names, {{20, 0, 200}, {20, 1.0, 1000}});
  const TileOutput expected = compute_one(*cpu, whole_tile, plan);
  EXPECT_EQ(expected.truncated_neighbourhoods, 0U);
  for (int quarter = 0; quarter < 4; ++quarter) {
    const bool east = quarter % 2 != 0, north = quarter / 2 != 0;
    const GridBounds bounds{east ? middle : 0, north ? middle : 0, east ? 4000 : middle - 1, north ? 4000 : middle - 1};
    Cloud inside, around;
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < cloud.points.size(); ++i) {
      const GridPoint p = cloud.points[i];
      const bool core = bounds.contains(p.x, p.y);
      const bool near = p.x >= bounds.min_x - halo_units && p.x <= bounds.max_x + halo_units && p.y >= bounds.min_y - halo_units &&
                        p.y <= bounds.max_y + halo_units;
      if (core) rows.push_back(i);
      if (core || near) {
        (core ? inside : around).points.push_back(p);
        (core ? inside : around).classes.push_back(cloud.classes[i]);
      }
    }
    const PointBlock core = block_of(inside), halo = block_of(around);
    TileInput tile = tile_of(core, &halo);
    tile.bounds = bounds;
    tile.halo_width = halo_units * 0.01;
    const TileOutput got = compute_one(*cpu, tile, plan);
    EXPECT_EQ(got.truncated_neighbourhoods, 0U);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      for (std::size_t c = 0; c < plan.columns.size(); ++c) {
        const float a = got.features.at(r, c), b = expected.features.at(rows[r], c);
        if (plan.columns[c].feature == features::Feature::height_above_ground) {
          ASSERT_NEAR(a, b, 0.3);
        } else if (plan.columns[c].feature != features::Feature::facade_score && !std::isnan(b)) {
          ASSERT_EQ(a, b) << plan.columns[c].name;
        }
      }
    }
  }
}

TEST(Invariance, TruncatedNeighbourhoodsAreCounted) {
  // A row of points 1 m apart; k = 3 reaches one metre, two at the ends.
  Cloud cloud;
  for (std::int32_t i = 0; i < 11; ++i) cloud.points.push_back({i * 100, 500, 0});
  const PointBlock block = block_of(cloud);
  TileInput tile = tile_of(block);
  tile.bounds = {0, 0, 1000, 1000};
  Executor executor(1);
  const auto plan = features::make_plan({"planarity"}, {{3, 0, 200}});
  EXPECT_EQ(compute_one(*backend(executor), tile, plan).truncated_neighbourhoods, 2U);  // the second ones touch the edge only
  tile.halo_width = 1.99;
  EXPECT_EQ(compute_one(*backend(executor), tile, plan).truncated_neighbourhoods, 2U);
  tile.halo_width = 2.0;
  EXPECT_EQ(compute_one(*backend(executor), tile, plan).truncated_neighbourhoods, 0U);
  EXPECT_EQ(compute_one(*backend(executor), tile, features::make_plan({"planarity"}, {{20, 0, 200}})).truncated_neighbourhoods, 11U);
}

}  // namespace
}  // namespace tuile::test
