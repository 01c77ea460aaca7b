#include "tuile/pipeline/tile_stream.hpp"

#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "support/fake_cuda/fake_cuda.hpp"
#include "support/temporary_folder.hpp"
#include "town.hpp"
#include "tuile/config/load.hpp"
#include "tuile/core/error.hpp"

namespace tuile::pipeline {
namespace {

using namespace std::chrono_literals;

const Town& town() {
  static const Town made({.tiles_x = 3, .tiles_y = 2, .size = 20, .density = 8, .seed = 3, .ground_truth = true});
  return made;
}

ProcessOptions options_for(std::vector<std::string> settings = {"features.set=minimal"}) {
  ProcessOptions options;
  settings.insert(settings.begin(), "backend=cpu");  // "auto" is the emulated card here
  options.config = config::load_config({.set = settings});
  options.config.input = town().paths;
  options.config.threads = 2;
  return options;
}

std::vector<DeliveredTile> all_of(TileStream& stream) {
  std::vector<DeliveredTile> tiles;
  while (std::optional<DeliveredTile> tile = stream.next()) tiles.push_back(std::move(*tile));
  return tiles;
}

std::vector<std::string> planned_paths(const ProcessOptions& options) {
  std::vector<std::string> paths;
  for (const PlanSummary::Tile& tile : LidarProcessor(options).plan().tiles) paths.push_back(tile.path);
  return paths;
}

void expect_the_plans_order(const std::vector<DeliveredTile>& tiles, const ProcessOptions& options) {
  std::vector<std::string> paths;
  for (const DeliveredTile& tile : tiles) {
    EXPECT_EQ(tile.index, paths.size());
    paths.push_back(tile.path);
  }
  EXPECT_EQ(paths, planned_paths(options));
}

template <class T>
bool same_bits(const Buffer<T>& one, const Buffer<T>& other) {
  return one.size() == other.size() && (one.empty() || std::memcmp(one.data(), other.data(), one.bytes()) == 0);
}

TEST(TileStream, TheRunsOrderWhateverWaitsAndHoweverManyWork) {
  for (const std::string workers : {"0", "1", "auto"}) {
    for (const std::size_t ready : {1U, 2U, 10U}) {
      const ProcessOptions options =
          options_for({"features.set=minimal", "prefetch.workers=" + workers, "batch.size=" + std::to_string(ready)});
      TileStream stream(options, ready);
      expect_the_plans_order(all_of(stream), options);
      EXPECT_FALSE(stream.next());
    }
  }
}

TEST(TileStream, CompleteTiles) {
  const ProcessOptions options = options_for({"features.k=12", "ground_truth.source=" + (town().folder / "bdtopo.gpkg")});
  TileStream stream(options);
  for (const DeliveredTile& tile : all_of(stream)) {
    const std::size_t points = tile.points->size();
    EXPECT_GT(points, 1000U);
    EXPECT_EQ(tile.features.points, points);
    EXPECT_EQ(tile.valid.size(), points);
    ASSERT_TRUE(tile.labels);
    EXPECT_EQ(tile.labels->size(), points);
    for (const std::int32_t object : tile.labels->object) ASSERT_LT(object, static_cast<std::int32_t>(tile.objects.size()));
    EXPECT_EQ(tile.epsg, 2154);
    EXPECT_NEAR(tile.bounds.max_x - tile.bounds.min_x, 20, 0.5);
  }
}

TEST(TileStream, TheSameWithAndWithoutPrefetch) {
  TileStream one(options_for({"features.k=12", "prefetch.workers=0"})), two(options_for({"features.k=12"}));
  while (std::optional<DeliveredTile> a = one.next()) {
    const std::optional<DeliveredTile> b = two.next();
    ASSERT_TRUE(b);
    EXPECT_EQ(a->path, b->path);
    EXPECT_TRUE(same_bits(a->features.values, b->features.values));
    EXPECT_TRUE(same_bits(a->valid, b->valid));
  }
  EXPECT_FALSE(two.next());
}

TEST(TileStream, TwoDevicesThatAreTwoComputers) {
  fake_cuda::reset({.devices = 2});
  const ProcessOptions on_cpu = options_for({"features.k=12"});
  const ProcessOptions on_cuda = options_for({"features.k=12", "backend=cuda", "batch.size=1"});
  for (const std::size_t ready : {1U, 3U}) {
    TileStream expected(on_cpu), stream(on_cuda, ready);
    const std::vector<DeliveredTile> tiles = all_of(stream);
    expect_the_plans_order(tiles, on_cuda);
    for (const DeliveredTile& tile : tiles) EXPECT_TRUE(same_bits(tile.features.values, expected.next()->features.values)) << tile.name;
  }
}

TEST(TileStream, TheRunIsHeldBack) {
  ProcessOptions options = options_for({"features.set=minimal", "batch.size=1"});
  std::atomic<int> done = 0;
  options.progress = [&](const Progress& progress) { done = static_cast<int>(progress.done); };
  TileStream stream(std::move(options), 1);
  for (int taken = 0; taken < 6; ++taken) {
    std::this_thread::sleep_for(150ms);
    // The tile that waits, and those that may have overtaken it on another writer's thread.
    EXPECT_LE(done, taken + 3);
    ASSERT_TRUE(stream.next());
  }
  EXPECT_FALSE(stream.next());
  EXPECT_EQ(done, 6);
}

/// The town with a damaged tile, a text and a tile that is gone among the inputs.
class WithBadOnes {
 public:
  WithBadOnes() {
    options = options_for();
    std::ifstream in(town().paths[3], std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(in), {});
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2), bytes.end() - 200, '\0');
    options.config.input = {town().paths[0], town().paths[1], town().paths[2], folder.write("damaged.laz", bytes),
                            folder.write("text.laz", "no tile")};
  }
  test::TemporaryFolder folder;
  ProcessOptions options;
};

TEST(TileStream, FailedTilesAreThrownInTheirTurn) {
  const WithBadOnes bad;
  TileStream stream(bad.options, 1);
  std::vector<std::string> thrown;
  std::size_t tiles = 0;
  while (true) {
    try {
      const std::optional<DeliveredTile> tile = stream.next();
      if (!tile) break;
      ++tiles;
    } catch (const CorruptData& error) {
      thrown.emplace_back(error.what());
    }
  }
  EXPECT_EQ(tiles, 3U);
  ASSERT_EQ(thrown.size(), 2U);
  EXPECT_NE(thrown[0].find("text.laz"), std::string::npos) << thrown[0];
  EXPECT_NE(thrown[1].find("damaged.laz"), std::string::npos) << thrown[1];
  EXPECT_FALSE(stream.next());
}

TEST(TileStream, FailuresAsResults) {
  const WithBadOnes bad;
  TileStream stream(bad.options);
  std::size_t failed = 0, tiles = 0;
  while (const auto result = stream.next_result()) ++(std::holds_alternative<FailedTile>(*result) ? failed : tiles);
  EXPECT_EQ(failed, 2U);
  EXPECT_EQ(tiles, 3U);
}

TEST(TileStream, TheRestComesAfterAFailureThatEndsTheRun) {
  WithBadOnes bad;
  bad.options.config.input.pop_back();
  bad.options.fail_fast = true;
  TileStream stream(bad.options, 5);
  std::size_t failed = 0, tiles = 0;
  while (const auto result = stream.next_result()) ++(std::holds_alternative<FailedTile>(*result) ? failed : tiles);
  EXPECT_EQ(failed, 1U);
  EXPECT_LE(tiles, 3U);
}

TEST(TileStream, WhatEndsTheRunIsThrownEveryTime) {
  ProcessOptions options = options_for();
  options.config.input = {town().folder / "nowhere.laz"};
  TileStream nowhere(options);
  for (int i = 0; i < 3; ++i) EXPECT_THROW(nowhere.next(), ConfigError);
  EXPECT_THROW(TileStream(options_for(), 0), InvalidArgument);

  fake_cuda::reset({.devices = 0, .driver = false});
  TileStream nothing(options_for({"backend=cuda"}));
  for (int i = 0; i < 3; ++i) EXPECT_THROW(nothing.next(), BackendUnavailable);
  fake_cuda::reset();
}

TEST(TileStream, OnlySomeTilesAndShards) {
  ProcessOptions options = options_for();
  options.only = {"town_1_1"};
  TileStream one(options);
  EXPECT_EQ(one.next()->name, "town_1_1");
  EXPECT_FALSE(one.next());

  std::vector<std::string> paths;
  for (std::size_t i = 0; i < 8; ++i) {
    ProcessOptions part = options_for();
    part.shard = {i, 8};
    TileStream stream(part);
    for (const DeliveredTile& tile : all_of(stream)) paths.push_back(tile.path);
  }
  EXPECT_EQ(paths, planned_paths(options_for()));
}

TEST(TileStream, NothingIsWritten) {
  const test::TemporaryFolder folder;
  ProcessOptions options = options_for();
  options.config.output = folder / "out";
  TileStream stream(options);
  EXPECT_EQ(all_of(stream).size(), 6U);
  EXPECT_FALSE(std::filesystem::exists(folder / "out"));
}

TEST(TileStream, AStopEndsTheWaitAndTheStreamGoesOn) {
  TileStream stream(options_for());
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(stream.next(stop.get_token()), Cancelled);  // nothing can be there yet
  EXPECT_EQ(all_of(stream).size(), 6U);
}

TEST(TileStream, CloseAndDestructionWhereverTheRunIs) {
  for (const std::size_t ready : {1U, 3U}) {
    for (int i = 0; i < 40; ++i) {
      TileStream stream(options_for({"features.k=12", i % 4 == 3 ? "prefetch.workers=0" : "prefetch.workers=2"}), ready);
      for (int taken = 0; taken < i % 5; ++taken) ASSERT_TRUE(stream.next());
      std::this_thread::sleep_for(std::chrono::milliseconds(i % 7));
      if (i % 2 == 0) continue;  // destruction alone
      stream.close();
      EXPECT_THROW(stream.next(), Cancelled);
      stream.close();
    }
  }
}

TEST(TileStream, CloseBesideAReader) {
  for (int i = 0; i < 20; ++i) {
    TileStream stream(options_for({"features.k=12"}), 1);
    std::jthread reader([&] {
      try {
        while (stream.next()) {
        }
      } catch (const Cancelled&) {
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(i % 10));
    stream.close();
  }
}

TEST(TileStream, TilesOutliveTheStream) {
  std::vector<DeliveredTile> tiles;
  {
    TileStream stream(options_for());
    tiles = all_of(stream);
  }
  ASSERT_EQ(tiles.size(), 6U);
  for (const DeliveredTile& tile : tiles) EXPECT_EQ(tile.points->size(), tile.features.points);
}

}  // namespace
}  // namespace tuile::pipeline
