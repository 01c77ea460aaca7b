// The backend where devices lack memory, fail or are lost, and where it is stopped.
#include <atomic>
#include <map>
#include <thread>

#include "scene.hpp"

namespace tuile::test {
namespace {

using compute::TileInput;
using compute::TileOutput;

using Trouble = CudaRuntime;

TEST_F(Trouble, NoMemoryForABatchHalvesIt) {
  const auto scenes = make_scenes(4, 300);
  const auto tiles = inputs_of(scenes);
  const auto cuda = compute::make_backend("cuda", executor_);
  fake_cuda::fail("cudaMallocFromPoolAsync", 1, cudaErrorMemoryAllocation, 2);  // the second after a trim
  expect_same(on_cpu(tiles, some_columns(), all_filters()), cuda->compute(tiles, some_columns(), all_filters(), {}));
  const auto report = cuda->report();
  EXPECT_EQ(report.batches_halved, 1U);
  EXPECT_EQ(report.tiles_in_blocks, 0U);
  EXPECT_EQ(report.devices[0].tiles, 4U);
  EXPECT_EQ(fake_cuda::calls("cudaMemPoolTrimTo"), 1U);
}

TEST_F(Trouble, NoMemoryForATileCutsIt) {
  const auto scene = make_scene(12000, 5);
  for (const compute::Preprocess& preprocess : {compute::Preprocess{}, all_filters()}) {
    const auto cuda = compute::make_backend("cuda", executor_);
    // Each attempt asks twice. The tile fails with a lane and with the whole device; of at most three blocks under way, eight failures more
    // let one fail with both, so that blocks are halved, at most twice.
    fake_cuda::fail("cudaMallocFromPoolAsync", 1, cudaErrorMemoryAllocation, 12);
    expect_same(on_cpu({scene->input}, every_column(), preprocess), cuda->compute({&scene->input, 1}, every_column(), preprocess, {}));
    EXPECT_EQ(cuda->report().tiles_in_blocks, 1U);
    EXPECT_GE(cuda->report().batches_halved, 1U);
  }
}

TEST_F(Trouble, NoMemoryForASurface) {
  const auto scenes = make_scenes(2, 300);
  const auto tiles = inputs_of(scenes);
  const auto cuda = compute::make_backend("cuda", executor_);
  fake_cuda::fail("cudaMallocFromPoolAsync", 2, cudaErrorMemoryAllocation, 2);
  expect_same(on_cpu(tiles, some_columns()), cuda->compute(tiles, some_columns(), {}, {}));
  EXPECT_EQ(cuda->report().batches_halved, 1U);
}

// What a batch gave back is free only when its stream has come to it; a device that is measured too early seems small from then on.
TEST_F(Trouble, NoMemoryOnceIsForgotten) {
  const auto scene = make_scene(4000, 5);
  const auto expected = on_cpu({scene->input}, some_columns());
  const auto once = [&](compute::Backend& cuda) { expect_same(expected, cuda.compute({&scene->input, 1}, some_columns(), {}, {})); };
  std::uint64_t needed = 0;
  {
    const auto cuda = compute::make_backend("cuda", executor_);
    once(*cuda);
    needed = cuda->report().devices[0].memory_peak;
  }
  fake_cuda::reset({.memory = needed * 8 / 5});  // for one at a time
  const auto cuda = compute::make_backend("cuda", executor_);
  once(*cuda);
  EXPECT_EQ(cuda->report().tiles_in_blocks, 0U);
  fake_cuda::fail("cudaMallocFromPoolAsync", 2, cudaErrorMemoryAllocation, 2);  // of the ground surface
  once(*cuda);
  EXPECT_EQ(cuda->report().tiles_in_blocks, 1U);
  once(*cuda);
  EXPECT_EQ(cuda->report().tiles_in_blocks, 1U);
}

TEST_F(Trouble, NoMemoryAtAllIsAnError) {
  const auto scene = make_scene(400, 5);
  const auto cuda = compute::make_backend("cuda", executor_);
  fake_cuda::fail("cudaMallocFromPoolAsync", 1, cudaErrorMemoryAllocation, 1000);
  EXPECT_THROW(cuda->compute({&scene->input, 1}, some_columns(), {}, {}), OutOfMemory);
}

TEST_F(Trouble, NoPageLockedMemory) {
  fake_cuda::reset({.pinned_memory = false});
  const auto scene = make_scene(2000, 5);
  const auto cuda = compute::make_backend("cuda", executor_);
  expect_same(on_cpu({scene->input}, every_column()), cuda->compute({&scene->input, 1}, every_column(), {}, {}));
}

TEST_F(Trouble, ALostDevicesTilesMove) {
  const auto scenes = make_scenes(6, 300);
  const auto tiles = inputs_of(scenes);
  const auto expected = on_cpu(tiles, some_columns(), all_filters());
  for (const int nth : {1, 7, 20, 45}) {
    fake_cuda::reset({.devices = 2});
    const auto cuda = compute::make_backend("cuda", executor_);
    fake_cuda::lose(0, nth);
    std::vector<TileOutput> outputs;
    for (const TileInput& tile : tiles) outputs.push_back(std::move(cuda->compute({&tile, 1}, some_columns(), all_filters(), {}).at(0)));
    expect_same(expected, outputs);
    const auto report = cuda->report();
    EXPECT_EQ(report.tiles_moved, 1U);
    EXPECT_NE(report.devices[0].lost.find("cudaErrorIllegalAddress"), std::string::npos) << report.devices[0].lost;
    EXPECT_EQ(report.devices[1].lost, "");
    EXPECT_EQ(report.devices[0].tiles + report.devices[1].tiles, tiles.size());
  }
}

TEST_F(Trouble, ADeviceLostUnderManyCalls) {
  const auto scenes = make_scenes(12, 250);
  const auto tiles = inputs_of(scenes);
  const auto expected = on_cpu(tiles, some_columns());
  fake_cuda::reset({.devices = 3});
  const auto cuda = compute::make_backend("cuda", executor_);
  fake_cuda::lose(0, 30);
  fake_cuda::lose(2, 50);
  std::vector<std::vector<TileOutput>> outputs(tiles.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = t; i < tiles.size(); i += 4) outputs[i] = cuda->compute({&tiles[i], 1}, some_columns(), {}, {});
      });
    }
  }
  for (std::size_t i = 0; i < tiles.size(); ++i) EXPECT_EQ(difference(expected[i], outputs[i].at(0)), "") << "tile " << i;
}

TEST_F(Trouble, ATileInBlocksGoesOnElsewhere) {
  const auto scene = make_scene(6000, 5);
  const auto expected = on_cpu({scene->input}, every_column(), all_filters());
  fake_cuda::reset({.devices = 2, .memory = 512 << 10});
  const auto cuda = compute::make_backend("cuda", executor_);
  fake_cuda::lose(1, 40);
  expect_same(expected, cuda->compute({&scene->input, 1}, every_column(), all_filters(), {}));
  EXPECT_EQ(cuda->report().tiles_moved, 1U);
}

TEST_F(Trouble, AllDevicesLost) {
  const auto scenes = make_scenes(4, 300);
  const auto tiles = inputs_of(scenes);
  fake_cuda::reset({.devices = 2});
  const auto cuda = compute::make_backend("cuda", executor_);
  fake_cuda::lose(0, 5);
  fake_cuda::lose(1, 9, cudaErrorECCUncorrectable);
  try {
    for (int i = 0; i < 10; ++i) cuda->compute(tiles, some_columns(), {}, {});
    FAIL() << "there is no device left";
  } catch (const DeviceError& error) {
    EXPECT_NE(std::string(error.what()).find("cudaErrorIllegalAddress"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("cudaErrorECCUncorrectable"), std::string::npos) << error.what();
  }
  EXPECT_THROW(cuda->compute(tiles, some_columns(), {}, {}), DeviceError);
}

TEST_F(Trouble, StoppedBeforeAndWhileComputing) {
  const auto scene = make_scene(400, 5);
  const auto cuda = compute::make_backend("cuda", executor_);
  std::stop_source before;
  before.request_stop();
  EXPECT_THROW(cuda->compute({&scene->input, 1}, some_columns(), {}, before.get_token()), Cancelled);
  // A stop while the device works: the work is waited for, nothing more is begun.
  std::atomic<int> done = 0, stopped = 0;
  {
    std::stop_source source;
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        try {
          for (;;) {
            cuda->compute({&scene->input, 1}, some_columns(), {}, source.get_token());
            ++done;
          }
        } catch (const Cancelled&) {
          ++stopped;
        }
      });
    }
    while (done < 3) std::this_thread::yield();
    source.request_stop();
  }
  EXPECT_EQ(stopped, 8);
  expect_same(on_cpu({scene->input}, some_columns()), cuda->compute({&scene->input, 1}, some_columns(), {}, {}));
}

// Every call of every function of the runtime fails once, in each of three ways: either the results are right, or the error is a typed one,
// and nothing is left behind.
TEST_F(Trouble, AnyCallMayFail) {
  const auto scenes = make_scenes(2, 130);
  const auto tiles = inputs_of(scenes);
  auto preprocess = all_filters();
  const auto expected = on_cpu(tiles, some_columns(), preprocess);
  const auto attempt = [&] {
    const auto cuda = compute::make_backend("cuda", executor_);
    return cuda->compute(tiles, some_columns(), preprocess, {});
  };
  std::map<std::string, int> survived, refused;
  for (const char* function : {"cudaGetDeviceCount",
                               "cudaDeviceGetAttribute",
                               "cudaGetDeviceProperties",
                               "cudaGetDevice",
                               "cudaSetDevice",
                               "cudaMemGetInfo",
                               "cudaHostAlloc",
                               "cudaFreeHost",
                               "cudaMemPoolCreate",
                               "cudaMemPoolSetAttribute",
                               "cudaMemPoolGetAttribute",
                               "cudaMemPoolTrimTo",
                               "cudaMemPoolDestroy",
                               "cudaMallocFromPoolAsync",
                               "cudaFreeAsync",
                               "cudaMemcpyAsync",
                               "cudaMemsetAsync",
                               "cudaStreamCreateWithFlags",
                               "cudaStreamDestroy",
                               "cudaStreamSynchronize",
                               "cudaEventCreateWithFlags",
                               "cudaEventDestroy",
                               "cudaEventRecord",
                               "cudaEventSynchronize",
                               "cudaEventElapsedTime",
                               "cudaLaunchKernelEx",
                               "cudaDriverGetVersion",
                               "cudaRuntimeGetVersion"}) {
    for (const cudaError_t error : {cudaErrorMemoryAllocation, cudaErrorInvalidValue, cudaErrorLaunchFailure}) {
      for (int nth = 1;; ++nth) {
        fake_cuda::reset({.devices = 2});
        fake_cuda::fail(function, nth, error);
        try {
          expect_same(expected, attempt());
          ++survived[function];
        } catch (const Error& refusal) {
          EXPECT_GT(std::string(refusal.what()).size(), 20U);
          ++refused[function];
        }
        ASSERT_EQ(fake_cuda::leaks(), std::vector<std::string>{}) << function << " call " << nth << ", error " << error;
        if (fake_cuda::calls(function) < static_cast<std::uint64_t>(nth)) break;
      }
    }
  }
  EXPECT_GT(survived["cudaMallocFromPoolAsync"], 0);
  EXPECT_EQ(refused["cudaHostAlloc"], 0);  // the heap does too
  EXPECT_GT(refused["cudaLaunchKernelEx"], 0);
  EXPECT_GT(survived["cudaLaunchKernelEx"], refused["cudaLaunchKernelEx"] / 2);
}

}  // namespace
}  // namespace tuile::test
