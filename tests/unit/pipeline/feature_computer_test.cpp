#include "tuile/pipeline/feature_computer.hpp"

#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "support/temporary_folder.hpp"
#include "tuile/config/load.hpp"
#include "tuile/core/error.hpp"
#include "tuile/las/decode.hpp"
#include "tuile/pipeline/lidar_processor.hpp"
#include "tuile/source/byte_source.hpp"
#include "tuile/synth/town.hpp"

namespace tuile::pipeline {
namespace {

struct LoadedFile {
  prefetch::TileHandle tile;
  Bounds bounds;
};

/// Four adjoining tiles and what the main job makes of them.
class Town {
 public:
  Town() {
    Executor executor(2);
    paths_ = synth::write_town({.tiles_x = 2, .tiles_y = 2, .size = 30, .density = 10, .seed = 3, .point_format = 8},
                               folder_.path().string(), executor);
    for (const std::string& path : paths_) {
      const auto source = source::open_file(path);
      const las::FileInfo info = las::read_info(*source);
      const Buffer<std::byte> bytes = source::read_all(*source);
      auto tile = std::make_shared<prefetch::Tile>();
      tile->points = las::decode(bytes.span(), info, {.fields = {0xF}}, executor).points;
      files.push_back({std::move(tile), info.bounds()});
    }
  }

  std::map<std::string, DeliveredTile> processed(const config::Config& config) const {
    std::map<std::string, DeliveredTile> tiles;
    ProcessOptions options;
    options.config = config;
    for (const std::string& path : paths_) options.inputs.push_back({.path = path, .name = path});
    options.deliver = [&](DeliveredTile tile) { tiles.emplace(tile.path, std::move(tile)); };
    const RunSummary summary = LidarProcessor(options).process();
    EXPECT_TRUE(summary.failed.empty());
    return tiles;
  }

  FeatureComputer::Input input(std::size_t i, double halo_width) const {
    FeatureComputer::Input input{.points = &files[i].tile->points, .bounds = files[i].bounds, .halo_width = halo_width};
    for (std::size_t other = 0; other < files.size(); ++other) {
      if (other != i) input.halo.emplace_back(files[other].tile, &files[other].tile->points);
    }
    return input;
  }

  const std::string& path(std::size_t i) const { return paths_[i]; }
  std::vector<LoadedFile> files;

 private:
  test::TemporaryFolder folder_;
  std::vector<std::string> paths_;
};

const Town& town() {
  static const Town made;
  return made;
}

config::Config configured(const std::vector<std::string>& settings) { return config::load_config({.set = settings}); }

void expect_same_bits(const FeatureBlock& one, const FeatureBlock& other) {
  ASSERT_EQ(one.names, other.names);
  ASSERT_EQ(one.points, other.points);
  ASSERT_EQ(one.values.size(), other.values.size());
  EXPECT_EQ(std::memcmp(one.values.data(), other.values.data(), one.bytes()), 0);
}

/// All tiles, one by one and in one call, against the main job.
void expect_as_processed(const config::Config& config) {
  const std::map<std::string, DeliveredTile> expected = town().processed(config);
  FeatureComputer computer("cpu", 2);
  const features::FeaturePlan plan = feature_plan(config);
  const compute::Preprocess preprocess = preprocess_of(config);
  std::vector<FeatureComputer::Input> inputs;
  for (std::size_t i = 0; i < town().files.size(); ++i) inputs.push_back(town().input(i, config.halo));
  const std::vector<compute::TileOutput> together = computer.compute(inputs, plan, preprocess, {});
  ASSERT_EQ(together.size(), inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const DeliveredTile& tile = expected.at(town().path(i));
    const std::vector<compute::TileOutput> alone = computer.compute({&inputs[i], 1}, plan, preprocess, {});
    for (const compute::TileOutput* output : {&alone.front(), &together[i]}) {
      expect_same_bits(output->features, tile.features);
      ASSERT_EQ(output->valid.size(), tile.valid.size());
      EXPECT_TRUE(std::equal(tile.valid.begin(), tile.valid.end(), output->valid.begin()));
    }
  }
}

TEST(FeatureComputer, WhatTheMainJobComputes) { expect_as_processed(configured({"features.set=full", "halo=4"})); }

TEST(FeatureComputer, WithFiltersThatLookBeyondTheHalo) {
  expect_as_processed(configured({"features.set=lod2", "features.radius=1.5", "preprocess.voxel={enabled: true, size: 0.4}",
                                  "preprocess.radius_outliers={enabled: true, radius: 0.8, min_neighbors: 3}", "halo=3"}));
}

TEST(FeatureComputer, WithoutAHalo) { expect_as_processed(configured({"halo=0"})); }

TEST(FeatureComputer, TheHaloMatters) {
  FeatureComputer computer("cpu", 2);
  const config::Config config = configured({});
  const features::FeaturePlan plan = feature_plan(config);
  const FeatureComputer::Input with = town().input(0, 10), without{.points = with.points, .bounds = with.bounds};
  const FeatureBlock one = std::move(computer.compute({&with, 1}, plan, {}, {}).front().features);
  const FeatureBlock other = std::move(computer.compute({&without, 1}, plan, {}, {}).front().features);
  EXPECT_NE(std::memcmp(one.values.data(), other.values.data(), one.bytes()), 0);
}

TEST(FeatureComputer, AnArrayOfTheTilesCoordinatesGivesTheTilesColumns) {
  const PointBlock& tile = town().files[0].tile->points;
  std::vector<double> metres;
  for (const GridPoint& p : tile.units) {
    metres.push_back(static_cast<double>(tile.grid.origin[0] + p.x) * tile.grid.scale);
    metres.push_back(static_cast<double>(tile.grid.origin[1] + p.y) * tile.grid.scale);
    metres.push_back(static_cast<double>(tile.grid.origin[2] + p.z) * tile.grid.scale);
  }
  FeatureComputer computer("cpu", 2);
  const PointBlock block = grid_points({metres.data(), tile.size(), 24, 8, CoordinateArray::Type::float64}, 0, computer.executor());
  const features::FeaturePlan plan =
      features::make_plan({"normal_z", "planarity", "density", "eigenvalue_1", "num_points_2m"}, {{.k = 20}});
  const std::vector<FeatureComputer::Input> inputs{{.points = &tile}, {.points = &block}};
  const std::vector<compute::TileOutput> outputs = computer.compute(inputs, plan, {}, {});
  expect_same_bits(outputs[1].features, outputs[0].features);
}

TEST(FeatureComputer, CallsFromSeveralThreadsQueue) {
  FeatureComputer computer("cpu", 2);
  const config::Config config = configured({});
  const features::FeaturePlan plan = feature_plan(config);
  const FeatureComputer::Input input = town().input(0, 10);
  std::vector<FeatureBlock> results(4);
  {
    std::vector<std::jthread> threads;
    for (FeatureBlock& result : results)
      threads.emplace_back([&] { result = std::move(computer.compute({&input, 1}, plan, {}, {}).front().features); });
  }
  for (const FeatureBlock& result : results) expect_same_bits(result, results.front());
  EXPECT_EQ(computer.totals().tiles, 4U);
  EXPECT_EQ(computer.totals().points, 4 * input.points->size());
  EXPECT_GT(computer.totals().seconds, 0);
}

TEST(FeatureComputer, MemoryOfPointsIsUsedAgain) {
  FeatureComputer computer("cpu", 1);
  std::vector<double> values(3 * 100'003, 1.5);
  const CoordinateArray array{values.data(), 100'003, 24, 8, CoordinateArray::Type::float64};
  const void* first = nullptr;
  for (int run = 0; run < 3; ++run) {
    const PointBlock block = grid_points(array, 0, computer.executor(), {}, computer.memory());
    if (run == 0) first = block.units.data();
    EXPECT_EQ(block.units.data(), first);
  }
  const PointBlock one = grid_points(array, 0, computer.executor(), {}, computer.memory());
  const PointBlock other = grid_points(array, 0, computer.executor(), {}, computer.memory());
  EXPECT_NE(one.units.data(), other.units.data());
}

TEST(FeatureComputer, PointsOutliveTheirComputer) {
  std::optional<FeatureComputer> computer(std::in_place, "cpu", 1);
  const std::vector<double> values(3 * 1000, 1.5);
  const PointBlock block =
      grid_points({values.data(), 1000, 24, 8, CoordinateArray::Type::float64}, 0, computer->executor(), {}, computer->memory());
  computer.reset();
  EXPECT_EQ(block.units[999], block.units[0]);
}

TEST(FeatureComputer, SaysWhatItIs) {
  FeatureComputer computer("auto");
  EXPECT_EQ(computer.backend().name(), compute::choose_backend("auto").name);
  EXPECT_EQ(computer.reason(), compute::choose_backend("auto").reason);
  EXPECT_GE(computer.executor().threads(), 1);
}

TEST(FeatureComputer, RefusesWhatItCannotDo) {
  EXPECT_THROW(FeatureComputer("quantum"), InvalidArgument);
  EXPECT_THROW(FeatureComputer("cpu", -1), InvalidArgument);
  if (!compute::availability("cuda").available) {
    EXPECT_THROW(FeatureComputer("cuda"), BackendUnavailable);
  }
  FeatureComputer computer("cpu");
  const features::FeaturePlan plan = features::make_plan({"planarity"}, {{.k = 20}});
  const FeatureComputer::Input nothing, narrow{.points = &town().files[0].tile->points, .halo_width = -1};
  EXPECT_THROW(computer.compute({&nothing, 1}, plan, {}, {}), InvalidArgument);
  EXPECT_THROW(computer.compute({&narrow, 1}, plan, {}, {}), InvalidArgument);
}

TEST(FeatureComputer, ARequestedStopIsHeard) {
  std::stop_source source;
  source.request_stop();
  FeatureComputer computer("cpu", 2);
  const FeatureComputer::Input input = town().input(0, 10);
  EXPECT_THROW(computer.compute({&input, 1}, feature_plan(configured({})), {}, source.get_token()), Cancelled);
}

}  // namespace
}  // namespace tuile::pipeline
