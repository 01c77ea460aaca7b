// A tile block by block gives the very bytes of the tile in one piece.
#include "compute/blocks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <random>

#include "clouds.hpp"
#include "compute/cpu/tree_walk.hpp"
#include "harness.hpp"
#include "tuile/core/error.hpp"

namespace tuile::test {
namespace {

using compute::Area;
using compute::Block;
using compute::TileInput;
using compute::TileOutput;
using compute::TilePoints;

std::unique_ptr<compute::Backend> limited(Executor& executor, std::uint64_t points) {
  return compute::make_backend("cpu", executor, {.memory = points * compute::cpu::search_bytes_per_point});
}

/// Compares outputs as bits: NaN must equal NaN.
void expect_same(const TileOutput& got, const TileOutput& expected, const std::string& what) {
  ASSERT_EQ(got.features.values.size(), expected.features.values.size()) << what;
  std::size_t different = 0;
  for (std::size_t i = 0; i < got.features.values.size(); ++i) {
    different += std::bit_cast<std::uint32_t>(got.features.values[i]) != std::bit_cast<std::uint32_t>(expected.features.values[i]) ? 1 : 0;
  }
  EXPECT_EQ(different, 0U) << what;
  EXPECT_EQ(got.degenerate_neighbourhoods, expected.degenerate_neighbourhoods) << what;
  EXPECT_EQ(got.truncated_neighbourhoods, expected.truncated_neighbourhoods) << what;
  EXPECT_EQ(got.missing_columns, expected.missing_columns) << what;
  EXPECT_TRUE(std::equal(got.valid.begin(), got.valid.end(), expected.valid.begin(), expected.valid.end())) << what;
}

/// In one piece, then in blocks of several sizes, on one thread and on several.
void expect_blocks_change_nothing(const TileInput& tile, const features::FeaturePlan& plan, const compute::Preprocess& preprocess = {}) {
  Executor one(1), several(3);
  const TileOutput expected = compute_one(*compute::make_backend("cpu", several), tile, plan, preprocess);
  for (const std::uint64_t points : {1U, 3000U, 20'000U}) {
    expect_same(compute_one(*limited(several, points), tile, plan, preprocess), expected, std::to_string(points) + " points");
  }
  expect_same(compute_one(*limited(one, 1500), tile, plan, preprocess), expected, "one thread");
}

features::FeaturePlan plan_of(const std::vector<features::Neighbourhood>& scales) {
  return features::make_plan(features::set_columns("full"), scales);
}

GridBounds square(std::int64_t low, std::int64_t high) { return {low, low, high, high}; }

TEST(Blocks, TownBySeveralNeighbourhoods) {
  const PointBlock core = coloured(block_of(town(30'000, 5000, 1)));
  TileInput tile = tile_of(core);
  tile.bounds = square(0, 5000);
  expect_blocks_change_nothing(tile, plan_of({{20, 0, 200}}));
  expect_blocks_change_nothing(tile, plan_of({{20, 0.7, 200}}));
  expect_blocks_change_nothing(tile, plan_of({{20, 0, 200}, {100, 0, 200}, {20, 1.5, 30}}));
}

TEST(Blocks, HaloAndExcludedClasses) {
  const Cloud all = town(40'000, 6000, 2);
  Cloud inner, outer;
  for (std::size_t i = 0; i < all.points.size(); ++i) {
    const GridPoint& p = all.points[i];
    Cloud& part = p.x >= 1000 && p.x <= 5000 && p.y >= 1000 && p.y <= 5000 ? inner : outer;
    part.points.push_back(p);
    part.classes.push_back(i % 50 == 0 ? std::uint8_t{66} : all.classes[i]);
  }
  const PointBlock core = coloured(block_of(inner)), halo = coloured(block_of(outer));
  TileInput tile = tile_of(core, &halo);
  tile.bounds = square(1000, 5000);
  tile.halo_width = 10;
  expect_blocks_change_nothing(tile, plan_of({{20, 0, 200}, {20, 1, 200}}), {{66}});
  // With no ground at all the heights are missing, once.
  expect_blocks_change_nothing(tile, plan_of({{20, 0, 200}}), {{2}});
  // No valid point anywhere.
  expect_blocks_change_nothing(tile, plan_of({{20, 0, 200}}), {{2, 5, 6, 66}});
}

/// Few points in many places: the nearest lie several blocks away.
TEST(Blocks, ClustersFarApart) {
  std::mt19937 random(3);
  Cloud cloud;
  for (int c = 0; c < 400; ++c) {
    const auto x = static_cast<std::int32_t>(random() % 400'000), y = static_cast<std::int32_t>(random() % 400'000);
    const int count = c < 4 ? 1500 : 1 + static_cast<int>(random() % 12);
    for (int i = 0; i < count; ++i) {
      cloud.points.push_back({x + static_cast<std::int32_t>(random() % 800), y + static_cast<std::int32_t>(random() % 800),
                              static_cast<std::int32_t>(random() % 3000)});
      cloud.classes.push_back(static_cast<std::uint8_t>(1 + i % 3));
    }
  }
  const PointBlock core = block_of(cloud);
  TileInput tile = tile_of(core);
  tile.bounds = square(0, 400'800);
  expect_blocks_change_nothing(tile, features::make_plan(features::set_columns("lod3"), {{20, 0, 200}}));
  expect_blocks_change_nothing(tile,
                               features::make_plan({"planarity", "num_points_2m", "height_above_ground"}, {{3, 0, 200}, {150, 0, 200}}));
}

/// One city and a stray point as far away as coordinates go.
TEST(Blocks, StrayPoints) {
  Cloud cloud = town(20'000, 4000, 4);
  for (const GridPoint& stray :
       {GridPoint{2'000'000'000, 5, 0}, GridPoint{-2'000'000'000, -1'900'000'000, 7}, GridPoint{9, 4'000'000, 90'000}}) {
    cloud.points.push_back(stray);
    cloud.classes.push_back(1);
  }
  const PointBlock core = block_of(cloud);
  expect_blocks_change_nothing(tile_of(core),
                               features::make_plan({"planarity", "density", "vertical_range", "height_above_ground"}, {{20, 0, 200}}));
}

TEST(Blocks, CopiesLinesAndColumns) {
  const auto plan = plan_of({{20, 0, 200}, {20, 0.5, 50}});
  std::mt19937 random(5);
  Cloud copies, line, column;
  for (std::int32_t i = 0; i < 12'000; ++i) {
    const std::int32_t spot = static_cast<std::int32_t>(random() % 7) * 90;
    copies.points.push_back({spot, 2 * spot, spot / 3});
    line.points.push_back({i * 3, 17, 2});
    column.points.push_back({8, 8, static_cast<std::int32_t>(random() % 5000)});
    for (Cloud* cloud : {&copies, &line, &column}) cloud->classes.push_back(static_cast<std::uint8_t>(1 + i % 2));
  }
  for (const Cloud* cloud : {&copies, &line, &column}) {
    const PointBlock core = coloured(block_of(*cloud));
    expect_blocks_change_nothing(tile_of(core), plan);
  }
}

TEST(Blocks, FewerPointsThanNeighbours) {
  Cloud cloud = town(1500, 3000, 6);
  const PointBlock core = coloured(block_of(cloud));
  TileInput tile = tile_of(core);
  tile.bounds = square(0, 3000);
  expect_blocks_change_nothing(tile, features::make_plan({"planarity", "vertical_std"}, {{2000, 0, 200}}));
  const PointBlock empty = block_of({});
  expect_blocks_change_nothing(tile_of(empty), features::make_plan({"planarity", "height_above_ground"}, {{20, 0, 200}}));
}

TEST(Blocks, RowsInATemporaryFile) {
  const PointBlock core = coloured(block_of(town(10'000, 3000, 7)));
  const auto plan = plan_of({{20, 0, 200}});
  Executor executor(2);
  TileInput tile = tile_of(core);
  const TileOutput expected = compute_one(*compute::make_backend("cpu", executor), tile, plan);
  tile.spill_folder = ::testing::TempDir();
  expect_same(compute_one(*limited(executor, 2000), tile, plan), expected, "spilled");
  tile.spill_folder = ::testing::TempDir() + "/no such folder";
  EXPECT_THROW(compute_one(*limited(executor, 2000), tile, plan), Error);
}

TEST(Blocks, PartitionEveryPointOnceAndStaySmall) {
  const PointBlock core = block_of(town(60'000, 9000, 8)), halo = block_of(town(5000, 700, 9));
  Executor executor(2);
  const TilePoints points(core, &halo, {}, executor);
  ASSERT_EQ(points.size(), 65'000U);
  for (const std::size_t most : {2000U, 9000U, 64'999U, 65'000U}) {
    const std::vector<Block> blocks = compute::plan_blocks(points, {.most = most, .reach = 100, .nearest = 20});
    EXPECT_EQ(blocks.size() == 1, most == 65'000);
    std::vector<int> owners(65'000, 0);
    for (const Block& block : blocks) {
      std::size_t given = 0;
      std::uint32_t index = 0;
      for (const PointBlock* part : {&core, &halo}) {
        for (const GridPoint& p : part->units) {
          given += block.given.contains(p.x, p.y) ? 1 : 0;
          owners[index++] += block.own.contains(p.x, p.y) ? 1 : 0;
        }
      }
      EXPECT_LE(given, most + most / 4) << most;
    }
    EXPECT_EQ(std::count(owners.begin(), owners.end(), 1), 65'000) << most;
  }
}

TEST(Blocks, AreasWidenAndOpen) {
  const Area extent{-50, -50, 50, 50};
  const Area wider = Area{-20, 0, 20, 10}.widened(30, extent);
  EXPECT_EQ(wider.min_x, -Area::open);
  EXPECT_EQ(wider.max_x, Area::open);
  EXPECT_EQ(wider.min_y, -30);
  EXPECT_EQ(wider.max_y, 40);
}

}  // namespace
}  // namespace tuile::test
