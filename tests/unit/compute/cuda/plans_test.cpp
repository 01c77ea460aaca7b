// What is decided without a device: batches and busy time.
#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <vector>

#include "compute/cuda/batch_plan.hpp"
#include "compute/cuda/busy_time.hpp"

namespace tuile::test {
namespace {

using namespace compute::cuda;

TEST(BatchPlan, SmallTilesGoTogether) {
  const std::vector<TileNeed> tiles(10, {.bytes = 100, .points = 10});
  const auto batches = plan_batches(tiles, {.lane_bytes = 1000, .device_bytes = 3000, .points = 40});
  ASSERT_EQ(batches.size(), 3U);
  EXPECT_EQ(batches[0].tiles, (std::vector<std::size_t>{0, 1, 2, 3}));
  EXPECT_EQ(batches[1].tiles, (std::vector<std::size_t>{4, 5, 6, 7}));
  EXPECT_EQ(batches[2].tiles, (std::vector<std::size_t>{8, 9}));
}

TEST(BatchPlan, LargeOnesByThemselvesOrCut) {
  const std::vector<TileNeed> tiles{{900, 90}, {100, 10}, {1001, 100}, {100, 10}, {3001, 3000}, {3000, 300}};
  const auto batches = plan_batches(tiles, {.lane_bytes = 1000, .device_bytes = 3000, .points = 1'000'000});
  ASSERT_EQ(batches.size(), 5U);
  EXPECT_EQ(batches[0].tiles, (std::vector<std::size_t>{0, 1}));
  EXPECT_FALSE(batches[0].whole_device);
  EXPECT_EQ(batches[1].tiles, (std::vector<std::size_t>{2}));
  EXPECT_TRUE(batches[1].whole_device);
  EXPECT_EQ(batches[1].block_points, 0U);
  EXPECT_EQ(batches[2].tiles, (std::vector<std::size_t>{3}));
  EXPECT_EQ(batches[3].tiles, (std::vector<std::size_t>{4}));
  EXPECT_EQ(batches[3].block_points, smallest_block);
  EXPECT_TRUE(batches[4].whole_device);
  EXPECT_TRUE(plan_batches({}, {}).empty());
}

TEST(BatchPlan, NoMoreTilesThanALaunchHasRows) {
  const std::vector<TileNeed> tiles(2 * most_batch_tiles + 3, {.bytes = 1, .points = 1});
  const auto batches = plan_batches(tiles, {.lane_bytes = 1 << 20, .device_bytes = 1 << 22, .points = 1 << 20});
  ASSERT_EQ(batches.size(), 3U);
  EXPECT_EQ(batches[0].tiles.size(), most_batch_tiles);
  EXPECT_EQ(batches[2].tiles.size(), 3U);
}

TEST(BatchPlan, EveryTileOnceInOrderWithinTheLimits) {
  std::mt19937 random(7);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<TileNeed> tiles(random() % 30);
    for (TileNeed& tile : tiles) tile = {random() % 2000, random() % 200};
    const BatchLimits limits{1000, 1700, 300};
    std::size_t next = 0;
    for (const PlannedBatch& batch : plan_batches(tiles, limits)) {
      ASSERT_FALSE(batch.tiles.empty());
      std::uint64_t bytes = 0, points = 0;
      for (const std::size_t tile : batch.tiles) {
        EXPECT_EQ(tile, next++);
        bytes += tiles[tile].bytes;
        points += tiles[tile].points;
      }
      EXPECT_EQ(batch.block_points > 0, bytes > limits.device_bytes);
      EXPECT_EQ(batch.whole_device, bytes > limits.lane_bytes && bytes <= limits.device_bytes);
      if (batch.tiles.size() > 1) {
        EXPECT_LE(points, limits.points);
      }
    }
    EXPECT_EQ(next, tiles.size());
  }
}

TEST(BatchPlan, PointsOfABatch) {
  EXPECT_EQ(batch_points(std::vector<TileNeed>(100, {0, 2'000'000}), 1), std::uint64_t{4} << 20);
  EXPECT_EQ(batch_points(std::vector<TileNeed>(4, {0, 1'000'000}), 2), 2'000'000U);  // neither device idles
  EXPECT_EQ(batch_points(std::vector<TileNeed>(4, {0, 1000}), 8), std::uint64_t{1} << 18);
}

TEST(BatchPlan, PointsOfABlock) {
  EXPECT_EQ(block_points({1'000'000, 10'000}, 500'000), 5'000U);
  EXPECT_EQ(block_points({1'000'000, 10'000}, 1), smallest_block);
  EXPECT_EQ(block_points({1'000'000, 10'000}, ~std::uint64_t{0}), 10'000U);
  EXPECT_EQ(block_points({0, 0}, 100), smallest_block);
}

TEST(BusyTime, UnionInAnyOrder) {
  BusyTime busy;
  busy.add(10, 20);
  busy.add(30, 40);
  EXPECT_EQ(busy.length(), 20);
  busy.add(15, 35);
  EXPECT_EQ(busy.length(), 30);
  busy.add(40, 41);
  busy.add(5, 5);
  busy.add(9, 3);
  busy.add(12, 13);
  EXPECT_EQ(busy.length(), 31);
  busy.add(-100, 1000);
  EXPECT_EQ(busy.length(), 1100);
}

TEST(BusyTime, AgainstMarkedSeconds) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 100; ++trial) {
    std::vector<char> marked(500, 0);
    BusyTime busy;
    for (int i = 0; i < 60; ++i) {
      const auto begin = static_cast<std::int64_t>(random() % 480), end = begin + static_cast<std::int64_t>(random() % 20);
      busy.add(begin, end);
      for (std::int64_t at = begin; at < end; ++at) marked[static_cast<std::size_t>(at)] = 1;
      ASSERT_EQ(busy.length(), std::accumulate(marked.begin(), marked.end(), 0));
    }
  }
}

TEST(BusyTime, OldIntervalsAreForgottenButCounted) {
  BusyTime busy;
  const auto count = static_cast<std::int64_t>(BusyTime::most) * 3;
  for (std::int64_t i = 0; i < count; ++i) busy.add(10 * i, 10 * i + 4);
  EXPECT_EQ(busy.length(), 4 * count);
}

}  // namespace
}  // namespace tuile::test
