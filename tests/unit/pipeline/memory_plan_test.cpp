#include "pipeline/memory_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "pipeline/resources.hpp"
#include "tuile/core/buffer.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::pipeline {
namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20, gib = std::uint64_t{1} << 30;

/// A row of tiles of one square kilometre.
RunPlan plan_of(std::size_t tiles, std::uint64_t points) {
  RunPlan plan;
  plan.features = plan.computed = features::make_plan(features::set_columns("lod2"), {{20, 0, 200}});
  for (std::size_t i = 0; i < tiles; ++i) {
    catalog::TileEntry entry;
    entry.points = points;
    entry.file_size = points * 6;
    entry.bounds = {1000.0 * static_cast<double>(i), 0, 1000.0 * static_cast<double>(i + 1), 1000};
    entry.fields = FieldSet{}.with(Field::intensity).with(Field::returns);
    plan.catalog.tiles.push_back(entry);
    plan.catalog.jobs.push_back({i, {}});
    PlannedTile tile;
    tile.job = i;
    tile.bounds = entry.bounds;
    if (i > 0) {
      tile.task.halo.push_back({"left", entry.bounds.expanded(10)});
      tile.halo_tiles.push_back(i - 1);
    }
    plan.tiles.push_back(tile);
  }
  return plan;
}

/// What the CPU backend takes.
ComputeTraits on_cpu() { return {.concurrency = 1, .cost = {.search = 72, .filter = 8, .surface = 80}}; }

MemoryPlan plan_with(const RunPlan& plan, std::uint64_t budget, config::Config config = {}) {
  config.memory.budget = budget;
  return plan_memory(plan, config, {}, 0, on_cpu());
}

TEST(MemoryPlan, SmallTilesGoTheUsualWay) {
  const MemoryPlan memory = plan_with(plan_of(20, 2'000'000), 4 * gib);
  EXPECT_FALSE(memory.tight);
  EXPECT_FALSE(memory.passes_budget());
  EXPECT_EQ(memory.search, 0U) << "no limit, so no blocks";
  EXPECT_EQ(memory.spilled_rows, UINT64_MAX);
  EXPECT_GT(memory.most_workers, 1);
  EXPECT_GT(memory.ahead, 1);
}

TEST(MemoryPlan, ManyDevicesComputeSideBySide) {
  config::Config config;
  config.memory.budget = 64 * gib;
  const MemoryPlan memory = plan_memory(plan_of(100, 2'000'000), config, {}, 0, {.concurrency = 24, .cost = {.surface = 80}});
  EXPECT_FALSE(memory.tight);
  EXPECT_EQ(memory.computers, 24);
  EXPECT_GE(memory.most_batch, 1);
}

TEST(MemoryPlan, LargeBatchesRatherThanBlocks) {
  config::Config config;
  config.memory.budget = 12 * gib;
  config.batch.size = 16;
  const MemoryPlan memory = plan_memory(plan_of(100, 2'000'000), config, {}, 0, {.concurrency = 3, .cost = {.surface = 80}});
  EXPECT_FALSE(memory.tight) << "fewer batches at once have room";
  EXPECT_GE(memory.computers, 1);
  EXPECT_LT(memory.computers, 3);
  EXPECT_EQ(memory.batch, 16);
}

TEST(MemoryPlan, ALargeTileFitsInBlocksWithItsRowsInAFile) {
  const std::uint64_t points = 33'000'000;
  for (const std::uint64_t budget : {gib, 2 * gib}) {
    const MemoryPlan memory = plan_with(plan_of(1, points), budget);
    EXPECT_TRUE(memory.tight);
    EXPECT_FALSE(memory.passes_budget()) << budget;
    EXPECT_GE(memory.search, budget / 4);
    EXPECT_LT(memory.search, points * 72) << "in blocks";
    EXPECT_LE(memory.spilled_rows, points * 12 * 4);
    EXPECT_LE(memory.working + memory.strips, budget);
  }
  const MemoryPlan ample = plan_with(plan_of(1, points), 12 * gib);
  EXPECT_FALSE(ample.tight);
}

TEST(MemoryPlan, LargeTilesGoOneByOneBeforeTheyPassTheBudget) {
  const RunPlan plan = plan_of(9, 33'000'000);
  int ahead = 100;
  for (const std::uint64_t budget : {16 * gib, 6 * gib, 4 * gib, 2 * gib}) {
    const MemoryPlan memory = plan_with(plan, budget);
    EXPECT_FALSE(memory.passes_budget()) << budget;
    EXPECT_LE(memory.ahead, ahead) << "less memory, fewer tiles";
    ahead = memory.ahead;
  }
  EXPECT_EQ(ahead, 0);
}

TEST(MemoryPlan, WhatCannotBeKeptIsSaid) {
  const MemoryPlan memory = plan_with(plan_of(1, 33'000'000), 64 * mib);
  EXPECT_TRUE(memory.passes_budget());
  EXPECT_GT(memory.search, 0U);
  EXPECT_LT(memory.search, 4 * gib);
}

TEST(MemoryPlan, WhatIsSetStays) {
  config::Config config;
  config.prefetch.workers = 3;
  config.prefetch.ahead = 2;
  const MemoryPlan memory = plan_with(plan_of(9, 33'000'000), gib, config);
  EXPECT_TRUE(memory.tight);
  EXPECT_EQ(memory.workers, 3);
  EXPECT_EQ(memory.ahead, 2);
  config.prefetch.ahead = 8;
  EXPECT_LE(plan_with(plan_of(9, 33'000'000), gib, config).loading, gib) << "preloads wait for room, however many are asked for";
  config.prefetch.workers = 0;
  EXPECT_EQ(plan_with(plan_of(9, 33'000'000), gib, config).writers, 0);
}

TEST(MemoryPlan, RowsThatAreNotSpilledAreCounted) {
  config::Config config;
  config.batch.size = 16;
  const MemoryPlan memory = plan_with(plan_of(40, 1'300'000), gib / 2, config);  // each a little less than what is spilled
  ASSERT_TRUE(memory.tight);
  EXPECT_TRUE(memory.passes_budget());
}

TEST(AnonymousPeak, SeesWhatIsGoneAgainAndNoFiles) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "the sanitizer's own memory is anonymous, whatever is written to";
#endif
  constexpr std::size_t size = 128 * mib;
  const std::uint64_t before = anonymous_bytes();
  ASSERT_GT(before, 0U);
  const AnonymousPeak peak;
  {
    auto file = Buffer<std::uint8_t>::in_file(::testing::TempDir(), size);
    std::fill(file.begin(), file.end(), std::uint8_t{1});
    EXPECT_LT(anonymous_bytes(), before + size / 2);
  }
  {
    const Buffer<std::uint8_t> memory(size, std::uint8_t{1});
    // Sampling has no event to wait for but the sample itself.
    for (int i = 0; i < 500 && peak.peak() < before + size / 2; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(memory[size - 1], 1);
  }
  EXPECT_GE(peak.peak(), before + size / 2);
}

}  // namespace
}  // namespace tuile::pipeline
