// Device memory, page-locked memory and lanes.
#include <atomic>
#include <random>
#include <thread>

#include "compute/cuda/cuda_error.hpp"
#include "compute/cuda/lanes.hpp"
#include "compute/cuda/pinned_memory.hpp"
#include "scene.hpp"

namespace tuile::test {
namespace {

using namespace compute::cuda;
using Pools = CudaRuntime;

TEST_F(Pools, DeviceMemoryCountsExactly) {
  fake_cuda::reset({.memory = 1 << 20});
  const Stream stream;
  DeviceMemory memory(0);
  EXPECT_EQ(memory.available(), 1U << 20);
  EXPECT_EQ(memory.lease(0, stream.get()).data(), nullptr);
  EXPECT_EQ(memory.statistics(), DeviceMemory::Statistics{});
  {
    DeviceLease first = memory.lease(300'032, stream.get());
    ASSERT_NE(first.data(), nullptr);
    DeviceLease second = std::move(first);
    EXPECT_EQ(first.data(), nullptr);
    EXPECT_EQ(second.bytes(), 300'032U);
    const DeviceLease third = memory.lease(100'096, stream.get());
    EXPECT_EQ(memory.available(), (1U << 20) - 400'128);
    EXPECT_EQ(memory.statistics(), (DeviceMemory::Statistics{.allocations = 2, .in_use = 400'128, .peak = 400'128}));
  }
  { const DeviceLease again = memory.lease(350'208, stream.get()); }
  EXPECT_EQ(memory.statistics(), (DeviceMemory::Statistics{.allocations = 3, .reused = 1, .peak = 400'128}));
  EXPECT_THROW(memory.lease(2 << 20, stream.get()), DeviceOutOfMemory);
  EXPECT_EQ(memory.statistics(), (DeviceMemory::Statistics{.allocations = 3, .reused = 1, .trims = 1, .peak = 400'128}));
  EXPECT_EQ(memory.available(), 1U << 20);
  { const DeviceLease whole = memory.lease(1 << 20, stream.get()); }
}

TEST_F(Pools, SizesOfPageLockedBlocks) {
  EXPECT_EQ(PinnedMemory::block_size(0), 0U);
  EXPECT_EQ(PinnedMemory::block_size(PinnedMemory::least - 1), 0U);
  EXPECT_EQ(PinnedMemory::block_size(~std::size_t{0}), 0U);
  std::size_t before = 0;
  for (std::size_t bytes = PinnedMemory::least; bytes < (std::size_t{1} << 40); bytes += bytes / 37 + 1) {
    const std::size_t size = PinnedMemory::block_size(bytes);
    EXPECT_GE(size, bytes);
    EXPECT_GE(size, before);
    EXPECT_EQ(size % 4096, 0U);
    if (bytes > 64 << 10) {
      EXPECT_LE(static_cast<double>(size), 1.126 * static_cast<double>(bytes)) << bytes;
    }
    EXPECT_EQ(PinnedMemory::block_size(size), size);  // whoever gets it back by its bytes finds the same class
    before = size;
  }
}

TEST_F(Pools, PageLockedBlocksAreGivenOutAgain) {
  PinnedMemory memory({0}, {.most = 1 << 20, .kept = 512 << 10});
  void* const first = memory.allocate(100'000);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % 64, 0U);
  const std::size_t size = PinnedMemory::block_size(100'000);
  memory.release(first, 100'000);
  EXPECT_EQ(memory.allocate(99'000), first);  // of the same class
  EXPECT_EQ(memory.statistics(), (PinnedMemory::Statistics{.allocations = 2, .reused = 1, .in_use = size, .peak = size}));
  memory.release(first, 99'000);
  EXPECT_EQ(memory.allocate(size / 2), first);  // half of it is enough …
  memory.release(first, size / 2);
  void* const small = memory.allocate(size / 2 - 8192);  // … and less is not
  EXPECT_NE(small, first);
  memory.release(small, size / 2 - 8192);
  EXPECT_EQ(memory.allocate(99'000), first);
  EXPECT_EQ(memory.allocate(1000), nullptr);
  EXPECT_EQ(memory.allocate(1 << 20), nullptr);  // no room beside the first
  EXPECT_EQ(memory.statistics().refused, 1U);
  memory.release(first, 99'000);
  EXPECT_EQ(memory.statistics().in_use, 0U);
  void* const whole = memory.allocate(1 << 20);  // what is kept makes room
  ASSERT_NE(whole, nullptr);
  EXPECT_EQ(memory.statistics().kept, 0U);
  EXPECT_EQ(fake_cuda::counters().pinned_live, 1U);
  memory.release(whole, 1 << 20);  // more than is kept
  EXPECT_EQ(memory.statistics().in_use + memory.statistics().kept, 0U);
  EXPECT_EQ(fake_cuda::counters().pinned_live, 0U);
}

TEST_F(Pools, PageLockedMemoryFromManyThreads) {
  const auto memory = std::make_shared<PinnedMemory>(std::vector<int>{0}, PinnedMemory::Limits{.most = 4 << 20, .kept = 1 << 20});
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(t);
        std::vector<Buffer<std::uint32_t>> held;
        for (int i = 0; i < 300; ++i) {
          if (held.size() > 6) held.erase(held.begin() + static_cast<std::ptrdiff_t>(random() % held.size()));
          Buffer<std::uint32_t> made(5'000 + random() % 60'000, memory);
          for (std::uint32_t& value : made) value = t;
          held.push_back(std::move(made));
          for (const auto& buffer : held) wrong += buffer[0] == t && buffer[buffer.size() - 1] == t ? 0 : 1;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
  const auto statistics = memory->statistics();
  EXPECT_EQ(statistics.in_use, 0U);
  EXPECT_LE(statistics.kept, 1U << 20);
  EXPECT_LE(statistics.peak, 4U << 20);
  EXPECT_GT(statistics.reused, 0U);
}

TEST_F(Pools, PageLockedMemoryOfALostDevice) {
  fake_cuda::reset({.devices = 2});
  PinnedMemory memory({0, 1}, {.most = 1 << 20, .kept = 1 << 20});
  void* const before = memory.allocate(100'000);
  fake_cuda::fail("cudaHostAlloc", 1, cudaErrorIllegalAddress);
  void* const after = memory.allocate(200'000);  // by way of the other
  EXPECT_NE(after, nullptr);
  memory.release(before, 100'000);
  memory.release(after, 200'000);
}

struct LaneMachine {
  explicit LaneMachine(int count) {
    fake_cuda::reset({.devices = count});
    for (int id = 0; id < count; ++id) {
      const CurrentDevice current(id);
      devices.push_back(std::make_unique<Device>(id, nullptr));
    }
    lanes = std::make_unique<Lanes>(devices);
  }
  std::vector<std::unique_ptr<Device>> devices;
  std::unique_ptr<Lanes> lanes;
};

TEST_F(Pools, LanesOfTheDeviceWithMostFree) {
  LaneMachine machine(2);
  std::vector<std::unique_ptr<LaneLease>> held;
  std::array<int, 2> given{};
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(machine.lanes->any_free());
    held.push_back(machine.lanes->lease(Share::lane, {}));
    ++given[static_cast<std::size_t>(held.back()->device().id())];
    EXPECT_LE(std::abs(given[0] - given[1]), 1);
  }
  EXPECT_FALSE(machine.lanes->any_free());
  while (!held.empty()) held.pop_back();
  const auto whole = machine.lanes->lease(Share::device, {});
  const auto other = machine.lanes->lease(Share::device, {});
  EXPECT_NE(whole->device().id(), other->device().id());
  EXPECT_FALSE(machine.lanes->any_free());
}

TEST_F(Pools, WaitingForALaneEndsWithTheStop) {
  LaneMachine machine(1);
  const auto whole = machine.lanes->lease(Share::device, {});
  std::stop_source source;
  std::atomic<int> cancelled = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        try {
          machine.lanes->lease(t == 1 ? Share::device : Share::lane, source.get_token());
        } catch (const Cancelled&) {
          ++cancelled;
        }
      });
    }
    source.request_stop();
  }
  EXPECT_EQ(cancelled, 3);
}

TEST_F(Pools, WhoWantsAWholeDeviceIsNotPassedByForEver) {
  LaneMachine machine(1);
  auto first = machine.lanes->lease(Share::lane, {});
  std::vector<int> order;
  std::mutex mutex;
  std::jthread whole([&] {
    const auto lease = machine.lanes->lease(Share::device, {});
    const std::lock_guard lock(mutex);
    order.push_back(1);
  });
  while (machine.lanes->any_free()) std::this_thread::yield();  // it stands in line: lanes are free, but not for those behind it
  std::jthread behind([&] {
    const auto lease = machine.lanes->lease(Share::lane, {});
    const std::lock_guard lock(mutex);
    order.push_back(2);
  });
  first.reset();
  whole.join();
  behind.join();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST_F(Pools, LostDevicesGiveNoLanes) {
  LaneMachine machine(2);
  auto lease = machine.lanes->lease(Share::lane, {});
  const int lost = lease->device().id();
  machine.lanes->drop(lease->device(), "the first reason");
  machine.lanes->drop(lease->device(), "the second reason");
  EXPECT_EQ(machine.devices[static_cast<std::size_t>(lost)]->report().lost, "the first reason");
  lease.reset();
  std::vector<std::unique_ptr<LaneLease>> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(machine.lanes->lease(Share::lane, {}));
    EXPECT_NE(held.back()->device().id(), lost);
  }
  EXPECT_FALSE(machine.lanes->any_free());
  // Who waits for the last device learns that it is gone.
  std::atomic<bool> refused = false;
  std::jthread waiting([&] {
    try {
      machine.lanes->lease(Share::lane, {});
    } catch (const DeviceError& error) {
      refused = std::string(error.what()).find("[the first reason] [gone]") != std::string::npos ||
                std::string(error.what()).find("[gone] [the first reason]") != std::string::npos;
    }
  });
  machine.lanes->drop(held.front()->device(), "gone");
  waiting.join();
  EXPECT_TRUE(refused);
}

TEST_F(Pools, LaneSectionsBecomeSpans) {
  fake_cuda::reset({});
  std::vector<compute::DeviceSpan> spans;
  Device device(0, [&](const compute::DeviceSpan& span) { spans.push_back(span); });
  Lane& lane = *device.lanes().front();
  Buffer<float> host(100'000, 1.0F), back(100'000);
  for (int batch = 0; batch < 2; ++batch) {
    const DeviceLease memory = lane.lease(host.bytes());
    lane.begin("upload");
    lane.upload(memory.data(), host.data(), host.bytes());
    lane.begin("compute");
    lane.end();
    lane.begin("download");
    lane.download(back.data(), memory.data(), back.bytes());
    lane.finish();
    EXPECT_EQ(back[99'999], 1.0F);
  }
  ASSERT_EQ(spans.size(), 6U);
  EXPECT_STREQ(spans[0].what, "upload");
  EXPECT_STREQ(spans[4].what, "compute");
  EXPECT_STREQ(spans[5].what, "download");
  for (std::size_t i = 1; i < spans.size(); ++i) EXPECT_LE(spans[i - 1].begin, spans[i].begin);
  const compute::DeviceReport report = device.report();
  EXPECT_EQ(report.uploaded, 2 * host.bytes());
  EXPECT_EQ(report.downloaded, 2 * host.bytes());
}

}  // namespace
}  // namespace tuile::test
