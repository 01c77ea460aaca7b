// The backend on devices where nothing goes wrong: the CPU's results bit for bit, whatever goes together.
#include <atomic>
#include <mutex>
#include <thread>

#include "scene.hpp"
#include "support/temporary_folder.hpp"

namespace tuile::test {
namespace {

using compute::BackendOptions;
using compute::TileInput;
using compute::TileOutput;

using Backend = CudaRuntime;

TEST_F(Backend, SaysWhatItIs) {
  fake_cuda::reset({.devices = 2});
  const auto one = compute::make_backend("cuda", executor_, {.devices = {1}});
  EXPECT_EQ(one->name(), "cuda");
  EXPECT_EQ(one->report().devices.at(0).id, 1);
  EXPECT_EQ(one->description(), "cuda, " + one->report().devices[0].name);
  EXPECT_EQ(one->concurrency(), 3);
  ASSERT_NE(one->host_memory(), nullptr);
  const auto both = compute::make_backend("cuda", executor_);
  EXPECT_EQ(both->concurrency(), 6);
  EXPECT_EQ(both->report().devices.size(), 2U);
  EXPECT_NE(both->description().find("cuda, 2 devices: "), std::string::npos);
}

TEST_F(Backend, EveryColumnWithAndWithoutFilters) {
  const auto scenes = make_scenes(3, 900);
  const auto tiles = inputs_of(scenes);
  const auto cuda = compute::make_backend("cuda", executor_);
  compute::Preprocess classes;
  classes.exclude_classes = {5};
  compute::Preprocess no_ground;
  no_ground.exclude_classes = {2};
  for (const compute::Preprocess& preprocess : {compute::Preprocess{}, classes, no_ground, all_filters()}) {
    expect_same(on_cpu(tiles, every_column(), preprocess), cuda->compute(tiles, every_column(), preprocess, {}));
  }
}

TEST_F(Backend, PlansOfFewColumns) {
  const auto scenes = make_scenes(2, 500);
  const auto tiles = inputs_of(scenes);
  const auto cuda = compute::make_backend("cuda", executor_);
  for (const std::vector<std::string>& names :
       {std::vector<std::string>{"green"}, std::vector<std::string>{"ndvi", "x"}, std::vector<std::string>{"is_ground"},
        std::vector<std::string>{"height_above_ground"}, std::vector<std::string>{"num_points_2m"},
        std::vector<std::string>{"facade_score"}, std::vector<std::string>{"number_of_returns", "planarity"}}) {
    const auto plan = features::make_plan(names, {{.k = 8}});
    expect_same(on_cpu(tiles, plan), cuda->compute(tiles, plan, {}, {}));
    expect_same(on_cpu(tiles, plan, all_filters()), cuda->compute(tiles, plan, all_filters(), {}));
  }
}

TEST_F(Backend, OddTiles) {
  const auto scene = make_scene(400, 3);
  const PointBlock nothing = block_of({});
  Cloud one_point;
  one_point.points.push_back({5, 6, 7});
  const PointBlock single = block_of(one_point);
  PointBlock bare = block_of(town(300, 1500, 4));
  bare.classification = Buffer<std::uint8_t>(bare.size(), std::uint8_t{1});  // no ground
  TileInput core_without_halo = scene->input;
  core_without_halo.halo = nullptr;
  const std::vector<TileInput> tiles{tile_of(nothing),  scene->input, tile_of(single), tile_of(nothing, &scene->halo),
                                     core_without_halo, tile_of(bare)};
  const auto cuda = compute::make_backend("cuda", executor_);
  for (const compute::Preprocess& preprocess : {compute::Preprocess{}, all_filters()}) {
    expect_same(on_cpu(tiles, every_column(), preprocess), cuda->compute(tiles, every_column(), preprocess, {}));
  }
  EXPECT_TRUE(cuda->compute({}, every_column(), {}, {}).empty());
}

TEST_F(Backend, RefusesWhatTheCpuRefuses) {
  const auto cuda = compute::make_backend("cuda", executor_);
  const TileInput none;
  EXPECT_THROW(cuda->compute({&none, 1}, some_columns(), {}, {}), InvalidArgument);
  const auto scene = make_scene(100, 3);
  scene->halo.grid.scale = 0.02;
  EXPECT_THROW(cuda->compute({&scene->input, 1}, some_columns(), {}, {}), InvalidArgument);
}

TEST_F(Backend, RowsInAFile) {
  const TemporaryFolder folder;
  auto scene = make_scene(400, 3);
  const auto expected = on_cpu({scene->input}, some_columns());
  scene->input.spill_folder = folder.path().string();
  expect_same(expected, compute::make_backend("cuda", executor_)->compute({&scene->input, 1}, some_columns(), {}, {}));
}

TEST_F(Backend, TilesThatNoDeviceHoldsInBlocks) {
  const auto scene = make_scene(6000, 3);
  fake_cuda::reset({.memory = 512 << 10});
  for (const compute::Preprocess& preprocess : {compute::Preprocess{}, all_filters()}) {
    const auto cuda = compute::make_backend("cuda", executor_, {.memory = 1});  // of the host: as little as can be
    const auto expected = on_cpu({scene->input}, every_column(), preprocess);
    expect_same(expected, cuda->compute({&scene->input, 1}, every_column(), preprocess, {}));
    EXPECT_EQ(cuda->report().tiles_in_blocks, 1U);
    EXPECT_EQ(cuda->report().devices.at(0).tiles, 1U);
  }
}

TEST_F(Backend, ManyCallsAtOnceOnTwoDevices) {
  fake_cuda::reset({.devices = 2});
  const auto scenes = make_scenes(12, 300);
  const auto tiles = inputs_of(scenes);
  const auto expected = on_cpu(tiles, some_columns(), all_filters());
  const auto cuda = compute::make_backend("cuda", executor_);
  std::vector<std::vector<TileOutput>> outputs(tiles.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = t; i < tiles.size(); i += 4) outputs[i] = cuda->compute({&tiles[i], 1}, some_columns(), all_filters(), {});
      });
    }
  }
  for (std::size_t i = 0; i < tiles.size(); ++i) EXPECT_EQ(difference(expected[i], outputs[i].at(0)), "") << "tile " << i;
  const auto report = cuda->report();
  EXPECT_EQ(report.devices[0].tiles + report.devices[1].tiles, tiles.size());
  EXPECT_GT(report.devices[0].tiles, 0U);
  EXPECT_GT(report.devices[1].tiles, 0U);
  EXPECT_EQ(fake_cuda::counters().device_synchronisations, 0U);
}

// Who has a lane may need the executor: then nobody in the executor may wait for a lane.
TEST_F(Backend, LanesAndOneComputingThread) {
  const auto large = make_scene(6000, 3), small = make_scene(500, 4);
  const auto expected = on_cpu({large->input, small->input}, every_column());
  fake_cuda::reset({.memory = 512 << 10});
  Executor one(1);
  const auto cuda = compute::make_backend("cuda", one);
  std::atomic<int> different = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 6; ++t) {
      threads.emplace_back([&, t] {
        const auto& scene = t % 2 == 0 ? large : small;
        const auto outputs = cuda->compute({&scene->input, 1}, every_column(), {}, {});
        different += difference(expected[static_cast<std::size_t>(t % 2)], outputs.at(0)).empty() ? 0 : 1;
      });
    }
  }
  EXPECT_EQ(different, 0);
  EXPECT_GE(cuda->report().tiles_in_blocks, 3U);
}

TEST_F(Backend, ReportCountsWhatWasDone) {
  std::mutex mutex;
  std::vector<compute::DeviceSpan> spans;
  const auto scene = make_scene(400, 3);
  const auto cuda = compute::make_backend("cuda", executor_, {.on_device = [&](const compute::DeviceSpan& span) {
                                            const std::lock_guard lock(mutex);
                                            spans.push_back(span);
                                          }});
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) cuda->compute({&scene->input, 1}, some_columns(), {}, {});
  const auto after = std::chrono::steady_clock::now();
  const compute::DeviceReport device = cuda->report().devices.at(0);
  EXPECT_EQ(device.tiles, 3U);
  EXPECT_EQ(device.uploaded, fake_cuda::counters().bytes_up);
  EXPECT_EQ(device.downloaded, fake_cuda::counters().bytes_down);
  EXPECT_EQ(device.allocations, 6U);  // points, and the surface
  EXPECT_EQ(device.reused, 4U);       // all but the first tile's
  EXPECT_GT(device.memory_peak, 0U);
  EXPECT_EQ(device.lost, "");
  std::chrono::steady_clock::duration computing{0};
  for (const auto& span : spans) {
    EXPECT_GE(span.begin, before);
    EXPECT_LE(span.end, after);
    EXPECT_LE(span.begin, span.end);
    if (std::string(span.what) == "compute") computing += span.end - span.begin;
  }
  EXPECT_EQ(spans.size(), 3U * 5);  // up, computed, the surface up, heights, down
  EXPECT_NEAR(device.busy_seconds, std::chrono::duration<double>(computing).count(), 1e-6);
}

TEST_F(Backend, PageLockedMemoryOutlivesIt) {
  auto cuda = compute::make_backend("cuda", executor_);
  const auto scene = make_scene(2000, 3);
  auto outputs = cuda->compute({&scene->input, 1}, every_column(), {}, {});
  Buffer<float> mine(100'000, cuda->host_memory());
  cuda.reset();
  EXPECT_EQ(fake_cuda::counters().streams_live, 0U);
  EXPECT_GT(fake_cuda::counters().pinned_live, 1U);
  mine[99'999] = 1;
  outputs.clear();
}

}  // namespace
}  // namespace tuile::test
