// What goes wrong on the way must not change a bit of what comes out, or be an error that says so.

#include <algorithm>
#include <future>
#include <memory>
#include <set>
#include <utility>

#include "conformance/compare.hpp"
#include "conformance/shapes.hpp"
#include "support/fake_cuda/fake_cuda.hpp"
#include "tuile/core/error.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::conformance {
namespace {

using compute::TileInput;
using compute::TileOutput;

/// Tiles with a halo, ground and filters: work for every kernel.
class Hardship : public testing::Test {
 protected:
  Hardship() {
    const Cloud cloud = noisy_town(1000, 800, 81);
    const GridBounds bounds{200, 200, 600, 600};
    blocks_.reserve(8);  // the tiles point to them
    blocks_.push_back(coloured(block_of(part(cloud, bounds, true))));
    blocks_.push_back(coloured(block_of(part(cloud, bounds, false))));
    blocks_.push_back(block_of(town(200, 400, 82)));
    blocks_.push_back(coloured(block_of(random_points(70, 100'000, 83))));
    tiles_ = {tile_of(blocks_[0], &blocks_[1]), tile_of(blocks_[2]), tile_of(blocks_[3]), tile_of(blocks_[2])};
    tiles_[0].bounds = bounds;
    tiles_[0].halo_width = 2;
    preprocess_.exclude_classes = {66};
    preprocess_.statistical_outliers = {6, 2};
    preprocess_.radius_outliers = {0.7, 2};
    preprocess_.voxel = 0.05;
    expect_of_the_cpu();
  }

  void expect_of_the_cpu() {
    expected_.clear();
    for (const compute::Preprocess& preprocess : {compute::Preprocess{}, preprocess_}) {
      expected_.push_back(compute::make_backend("cpu", executor_)->compute(tiles_, plan_, preprocess, {}));
    }
  }

  /// The backend of this machine, used once without and once with filters. Gives "", or what differs, or the error.
  std::string run(bool errors_are_fine) {
    std::string text;
    report_ = {};
    try {
      const auto cuda = compute::make_backend("cuda", executor_);
      for (const std::size_t filtered : {0U, 1U}) {
        const auto got = cuda->compute(tiles_, plan_, filtered == 1 ? preprocess_ : compute::Preprocess{}, {});
        for (std::size_t i = 0; i < got.size() && text.empty(); ++i) text = difference(expected_[filtered][i], got[i]);
      }
      report_ = cuda->report();
    } catch (const BackendUnavailable& error) {
      if (!errors_are_fine) text = error.what();
    } catch (const DeviceError& error) {
      if (!errors_are_fine) text = error.what();
    } catch (const OutOfMemory& error) {
      if (!errors_are_fine) text = error.what();
    }
    return text;
  }

  Executor executor_{2};
  std::vector<PointBlock> blocks_;
  std::vector<TileInput> tiles_;
  compute::Preprocess preprocess_;
  features::FeaturePlan plan_ = features::make_plan(features::set_columns("full"), {{20}, {80}, {20, 0.8, 30}});
  std::vector<std::vector<TileOutput>> expected_;
  compute::BackendReport report_;
};

TEST_F(Hardship, LittleMemory) {
  blocks_.push_back(coloured(block_of(town(3000, 1400, 84))));
  tiles_.push_back(tile_of(blocks_.back()));
  expect_of_the_cpu();
  std::uint64_t blocks = 0;
  for (std::uint64_t memory = 1 << 25; memory >= 1 << 17; memory /= 2) {
    fake_cuda::reset({.memory = memory});
    const bool may_fail = memory < 1 << 20;  // not enough for the smallest block
    EXPECT_EQ(run(may_fail), "") << memory;
    blocks += report_.tiles_in_blocks;
    EXPECT_EQ(fake_cuda::leaks(), std::vector<std::string>{}) << memory;
  }
  EXPECT_GT(blocks, 0U);
}

/// Every call of the runtime that a run makes fails once, each kind in its turn at several places.
TEST_F(Hardship, EveryCallFailsOnce) {
  fake_cuda::reset();
  ASSERT_EQ(run(false), "");
  std::vector<std::pair<std::string, std::uint64_t>> functions;
  for (const std::string& function : fake_cuda::called()) functions.emplace_back(function, fake_cuda::calls(function));
  EXPECT_GE(functions.size(), 15U);
  for (const auto& [function, count] : functions) {
    for (const cudaError_t error : {cudaErrorMemoryAllocation, cudaErrorUnknown}) {
      // Want of memory comes early or late; what else fails, in the midst.
      const bool memory = error == cudaErrorMemoryAllocation;
      for (const std::uint64_t nth : memory ? std::set<std::uint64_t>{1, count} : std::set<std::uint64_t>{(count + 1) / 2}) {
        fake_cuda::reset();
        fake_cuda::fail(function, static_cast<int>(nth), error);
        EXPECT_EQ(run(true), "") << function << " call " << nth << " of " << count;
        EXPECT_EQ(fake_cuda::leaks(), std::vector<std::string>{}) << function << " call " << nth << " of " << count;
      }
    }
  }
}

TEST_F(Hardship, NoPinnedMemory) {
  fake_cuda::reset({.pinned_memory = false});
  EXPECT_EQ(run(false), "");
}

TEST_F(Hardship, ADeviceIsLostAtAnyKernel) {
  fake_cuda::reset({.devices = 2});
  ASSERT_EQ(run(false), "");
  const std::uint64_t kernels = fake_cuda::counters().kernels;
  std::uint64_t lost = 0;
  for (std::uint64_t nth = 1; nth <= kernels; nth += std::max<std::uint64_t>(1, kernels / 12)) {
    for (const int device : {0, 1}) {
      fake_cuda::reset({.devices = 2});
      fake_cuda::lose(device, static_cast<int>(nth), nth % 2 == 0 ? cudaErrorIllegalAddress : cudaErrorECCUncorrectable);
      EXPECT_EQ(run(false), "") << "device " << device << " lost at kernel " << nth;
      EXPECT_EQ(fake_cuda::leaks(), std::vector<std::string>{}) << nth;
      for (const auto& report : report_.devices) lost += report.lost.empty() ? 0 : 1;
    }
  }
  EXPECT_GT(lost, 5U);
}

TEST_F(Hardship, WithTheOnlyDeviceGoesTheBackend) {
  fake_cuda::reset();
  const auto cuda = compute::make_backend("cuda", executor_);
  fake_cuda::lose(0, 5);
  EXPECT_THROW(cuda->compute(tiles_, plan_, {}, {}), DeviceError);
  EXPECT_THROW(cuda->compute(tiles_, plan_, {}, {}), DeviceError);
}

TEST_F(Hardship, CallsSideBySide) {
  fake_cuda::reset({.devices = 2, .memory = 24 << 20});
  const std::shared_ptr<compute::Backend> cuda = compute::make_backend("cuda", executor_);
  std::vector<std::future<std::string>> calls;
  for (std::size_t c = 0; c < 8; ++c) {
    calls.push_back(std::async(std::launch::async, [this, cuda, c] {
      std::string text;
      const std::size_t filtered = c % 2;
      const auto got = cuda->compute(tiles_, plan_, filtered == 1 ? preprocess_ : compute::Preprocess{}, {});
      for (std::size_t i = 0; i < got.size() && text.empty(); ++i) text = difference(expected_[filtered][i], got[i]);
      return text;
    }));
  }
  for (auto& call : calls) EXPECT_EQ(call.get(), "");
  EXPECT_EQ(fake_cuda::counters().device_synchronisations, 0U);
}

/// The host writes where nothing reads any more, and reads what is there: memory of the device's choosing, used again and again.
TEST_F(Hardship, PinnedMemoryUsedAgain) {
  fake_cuda::reset();
  const auto cuda = compute::make_backend("cuda", executor_);
  const std::shared_ptr<HostMemory> memory = cuda->host_memory();
  ASSERT_NE(memory, nullptr);
  for (std::uint32_t seed = 0; seed < 6; ++seed) {
    const PointBlock from = block_of(town(700, 600, seed));
    PointBlock block;
    block.grid = from.grid;
    block.units = Buffer<GridPoint>(from.size(), memory);
    block.classification = Buffer<std::uint8_t>(from.size(), memory);
    std::copy(from.units.begin(), from.units.end(), block.units.begin());
    std::copy(from.classification.begin(), from.classification.end(), block.classification.begin());
    EXPECT_EQ(compare(*compute::make_backend("cpu", executor_), *cuda, tile_of(block), plan_, preprocess_), "");
  }
}

}  // namespace
}  // namespace tuile::conformance
