// The runtime of the fake: laziness, order, errors, memory.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "cuda_runtime.h"
#include "support/fake_cuda/fake_cuda.hpp"

namespace {

__global__ void add(int* values, int count, int what) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < count) values[i] += what;
}

void put_add(int* values, int what, cudaStream_t stream) {
  const cudaLaunchConfig_t config{1, 32, 0, stream, nullptr, 0};
  ASSERT_EQ(cudaLaunchKernelEx(&config, &add, values, 1, what), cudaSuccess);
}

class FakeRuntime : public testing::Test {
 protected:
  void SetUp() override {
    fake_cuda::reset({.devices = 2, .memory = 1 << 20});
    for (cudaStream_t& stream : streams_) ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    ASSERT_EQ(cudaMalloc(&device_, sizeof(int)), cudaSuccess);
    ASSERT_EQ(cudaHostAlloc(&pinned_, sizeof(int), cudaHostAllocDefault), cudaSuccess);
    *pinned_ = 1;
  }
  void TearDown() override {
    cudaSetDevice(0);
    for (const cudaStream_t stream : streams_) cudaStreamDestroy(stream);
    cudaFree(device_);
    cudaFreeHost(pinned_);
    EXPECT_EQ(fake_cuda::leaks(), std::vector<std::string>{});
  }

  cudaStream_t streams_[2]{};
  int* device_ = nullptr;
  int* pinned_ = nullptr;
};

TEST_F(FakeRuntime, NothingRunsBeforeSomeoneWaits) {
  ASSERT_EQ(cudaMemcpyAsync(device_, pinned_, sizeof(int), cudaMemcpyHostToDevice, streams_[0]), cudaSuccess);
  put_add(device_, 5, streams_[0]);
  ASSERT_EQ(cudaMemcpyAsync(pinned_, device_, sizeof(int), cudaMemcpyDeviceToHost, streams_[0]), cudaSuccess);
  EXPECT_EQ(*pinned_, 1);
  *pinned_ = 10;  // a mistake of the host, and it shows: the copy has not been done
  ASSERT_EQ(cudaStreamSynchronize(streams_[0]), cudaSuccess);
  EXPECT_EQ(*pinned_, 15);
  EXPECT_EQ(fake_cuda::counters().bytes_up, sizeof(int));
  EXPECT_EQ(fake_cuda::counters().bytes_down, sizeof(int));
  EXPECT_EQ(fake_cuda::counters().kernels, 1u);
}

TEST_F(FakeRuntime, PageableMemoryIsStaged) {
  int value = 3;
  ASSERT_EQ(cudaMemcpyAsync(device_, &value, sizeof(int), cudaMemcpyHostToDevice, streams_[0]), cudaSuccess);
  value = 100;
  put_add(device_, 4, streams_[0]);
  ASSERT_EQ(cudaMemcpyAsync(&value, device_, sizeof(int), cudaMemcpyDeviceToHost, streams_[0]), cudaSuccess);  // waits
  EXPECT_EQ(value, 7);
}

TEST_F(FakeRuntime, EventsOrderStreams) {
  cudaEvent_t event{};
  ASSERT_EQ(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), cudaSuccess);
  ASSERT_EQ(cudaMemsetAsync(device_, 0, sizeof(int), streams_[0]), cudaSuccess);
  put_add(device_, 1, streams_[0]);
  ASSERT_EQ(cudaEventRecord(event, streams_[0]), cudaSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(streams_[1], event), cudaSuccess);
  put_add(device_, 1000, streams_[0]);  // after the event: not waited for
  ASSERT_EQ(cudaMemcpyAsync(pinned_, device_, sizeof(int), cudaMemcpyDeviceToHost, streams_[1]), cudaSuccess);
  EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);  // what is on the streams goes on
  ASSERT_EQ(cudaStreamSynchronize(streams_[1]), cudaSuccess);
  EXPECT_EQ(*pinned_, 1);
  ASSERT_EQ(cudaStreamSynchronize(streams_[0]), cudaSuccess);
}

TEST_F(FakeRuntime, WithoutTheEventTheOtherStreamSeesOldMemory) {
  put_add(device_, 1, streams_[0]);
  ASSERT_EQ(cudaMemcpyAsync(pinned_, device_, sizeof(int), cudaMemcpyDeviceToHost, streams_[1]), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(streams_[1]), cudaSuccess);
  EXPECT_EQ(static_cast<unsigned>(*pinned_), 0xcdcdcdcdu);  // and fresh memory is filled
  ASSERT_EQ(cudaStreamSynchronize(streams_[0]), cudaSuccess);
}

TEST_F(FakeRuntime, QueriesGoForwardAStepAtATime) {
  cudaEvent_t event{};
  ASSERT_EQ(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), cudaSuccess);
  EXPECT_EQ(cudaEventQuery(event), cudaSuccess);  // never recorded
  put_add(device_, 1, streams_[0]);
  ASSERT_EQ(cudaEventRecord(event, streams_[0]), cudaSuccess);
  EXPECT_EQ(cudaEventQuery(event), cudaErrorNotReady);
  EXPECT_EQ(cudaEventQuery(event), cudaSuccess);
  EXPECT_EQ(cudaStreamQuery(streams_[0]), cudaSuccess);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);  // "not ready" is no error
  EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
}

TEST_F(FakeRuntime, TimesGoForward) {
  cudaEvent_t begin{}, end{};
  ASSERT_EQ(cudaEventCreate(&begin), cudaSuccess);
  ASSERT_EQ(cudaEventCreate(&end), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(begin, streams_[0]), cudaSuccess);
  put_add(device_, 1, streams_[0]);
  ASSERT_EQ(cudaEventRecord(end, streams_[0]), cudaSuccess);
  float time = -1;
  EXPECT_EQ(cudaEventElapsedTime(&time, begin, end), cudaErrorNotReady);
  ASSERT_EQ(cudaEventSynchronize(end), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&time, begin, end), cudaSuccess);
  EXPECT_GE(time, 0);
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
}

TEST_F(FakeRuntime, HostFunctionsRunInOrderAndWithoutTheLock) {
  struct Seen {
    int* value;
    int then = 0, calls = 0;
  } seen{pinned_};
  ASSERT_EQ(cudaMemsetAsync(device_, 0, sizeof(int), streams_[0]), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(pinned_, device_, sizeof(int), cudaMemcpyDeviceToHost, streams_[0]), cudaSuccess);
  ASSERT_EQ(cudaLaunchHostFunc(
                streams_[0],
                [](void* data) {
                  auto& at = *static_cast<Seen*>(data);
                  at.then = *at.value;
                  at.calls = static_cast<int>(fake_cuda::calls("cudaLaunchHostFunc"));  // would wait for ever with the lock held
                },
                &seen),
            cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(streams_[0]), cudaSuccess);
  EXPECT_EQ(seen.then, 0);
  EXPECT_EQ(seen.calls, 1);
}

TEST_F(FakeRuntime, MemoryEnds) {
  void* data = nullptr;
  EXPECT_EQ(cudaMalloc(&data, 2 << 20), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  std::size_t free = 0, total = 0;
  ASSERT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  EXPECT_EQ(total, 1u << 20);
  EXPECT_EQ(free, total - 256);
  ASSERT_EQ(cudaMalloc(&data, free), cudaSuccess);
  EXPECT_EQ(cudaFree(data), cudaSuccess);
}

TEST_F(FakeRuntime, PoolsKeepMemoryUpToTheirThreshold) {
  cudaMemPool_t pool{};
  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location = {cudaMemLocationTypeDevice, 0};
  ASSERT_EQ(cudaMemPoolCreate(&pool, &properties), cudaSuccess);
  std::uint64_t threshold = 1 << 20, reserved = 0;
  ASSERT_EQ(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &threshold), cudaSuccess);
  void *first = nullptr, *second = nullptr;
  ASSERT_EQ(cudaMallocFromPoolAsync(&first, 800 << 10, pool, streams_[0]), cudaSuccess);
  EXPECT_EQ(cudaMallocFromPoolAsync(&second, 800 << 10, pool, streams_[1]), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  ASSERT_EQ(cudaFreeAsync(first, streams_[0]), cudaSuccess);
  EXPECT_EQ(cudaMallocFromPoolAsync(&second, 800 << 10, pool, streams_[1]), cudaSuccess);  // waits for the release
  ASSERT_EQ(cudaFreeAsync(second, streams_[1]), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(streams_[1]), cudaSuccess);
  ASSERT_EQ(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrReservedMemCurrent, &reserved), cudaSuccess);
  EXPECT_EQ(reserved, 800u << 10);
  EXPECT_EQ(cudaMalloc(&first, 800 << 10), cudaErrorMemoryAllocation);  // the pool has it
  ASSERT_EQ(cudaMemPoolTrimTo(pool, 0), cudaSuccess);
  ASSERT_EQ(cudaMalloc(&first, 800 << 10), cudaSuccess);
  EXPECT_EQ(cudaFree(first), cudaSuccess);
  EXPECT_EQ(cudaMemPoolDestroy(pool), cudaSuccess);
}

TEST_F(FakeRuntime, CallsFailWhenTold) {
  void* data = nullptr;
  fake_cuda::fail("cudaMalloc", 2, cudaErrorMemoryAllocation, 2);
  EXPECT_EQ(cudaMalloc(&data, 16), cudaSuccess);
  cudaFree(data);
  EXPECT_EQ(cudaMalloc(&data, 16), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaMalloc(&data, 16), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaMalloc(&data, 16), cudaSuccess);
  cudaFree(data);
  EXPECT_EQ(fake_cuda::calls("cudaMalloc"), 5u);  // one in SetUp
}

TEST_F(FakeRuntime, ALostDeviceStaysLostAndTheOtherWorks) {
  fake_cuda::lose(0, 2, cudaErrorIllegalAddress);
  put_add(device_, 1, streams_[0]);
  EXPECT_EQ(cudaStreamSynchronize(streams_[0]), cudaSuccess);
  put_add(device_, 1, streams_[0]);
  put_add(device_, 1, streams_[0]);
  EXPECT_EQ(cudaStreamSynchronize(streams_[0]), cudaErrorIllegalAddress);
  EXPECT_EQ(cudaGetLastError(), cudaErrorIllegalAddress);
  EXPECT_EQ(cudaGetLastError(), cudaErrorIllegalAddress);
  EXPECT_EQ(cudaStreamSynchronize(streams_[1]), cudaErrorIllegalAddress);
  void* data = nullptr;
  EXPECT_EQ(cudaMalloc(&data, 16), cudaErrorIllegalAddress);
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  EXPECT_EQ(cudaMalloc(&data, 16), cudaSuccess);
  EXPECT_EQ(cudaFree(data), cudaSuccess);
}

TEST_F(FakeRuntime, StreamsBelongToTheirDevice) {
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  const cudaLaunchConfig_t config{1, 32, 0, streams_[0], nullptr, 0};
  EXPECT_EQ(cudaLaunchKernelEx(&config, &add, device_, 1, 1), cudaErrorInvalidResourceHandle);
  int on_other_thread = -1;
  std::thread([&] { cudaGetDevice(&on_other_thread); }).join();
  EXPECT_EQ(on_other_thread, 0);  // each thread has its own
  cudaGetLastError();
}

TEST_F(FakeRuntime, CopiesStayInsideWhatIsAllocated) {
  const fake_cuda::FaultsThrow throws;
  std::vector<int> host(100);
  EXPECT_THROW(cudaMemcpyAsync(device_, host.data(), 400, cudaMemcpyHostToDevice, streams_[0]), fake_cuda::KernelFault);
  EXPECT_THROW(cudaMemcpyAsync(host.data(), pinned_, 4, cudaMemcpyDeviceToHost, streams_[0]), fake_cuda::KernelFault);
  EXPECT_THROW(cudaMemsetAsync(host.data(), 0, 4, streams_[0]), fake_cuda::KernelFault);
}

TEST_F(FakeRuntime, DeviceMemoryIsNotForTheHost) { EXPECT_DEATH(std::printf("%d", *device_), ""); }

TEST_F(FakeRuntime, SeveralThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::vector<int> results(8, 0);
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&results, t] {
      cudaSetDevice(t % 2);
      cudaStream_t stream{};
      int *data = nullptr, *down = nullptr;
      cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
      cudaMallocAsync(&data, sizeof(int), stream);
      cudaHostAlloc(&down, sizeof(int), cudaHostAllocDefault);
      cudaMemsetAsync(data, 0, sizeof(int), stream);
      const cudaLaunchConfig_t config{1, 32, 0, stream, nullptr, 0};
      for (int i = 0; i < 20; ++i) cudaLaunchKernelEx(&config, &add, data, 1, t);
      cudaMemcpyAsync(down, data, sizeof(int), cudaMemcpyDeviceToHost, stream);
      cudaStreamSynchronize(stream);
      results[static_cast<std::size_t>(t)] = *down;
      cudaFreeAsync(data, stream);
      cudaStreamSynchronize(stream);
      cudaFreeHost(down);
      cudaStreamDestroy(stream);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < 8; ++t) EXPECT_EQ(results[static_cast<std::size_t>(t)], 20 * t);
}

TEST(FakeMachine, WithoutDriverOrDevice) {
  int count = -1, version = -1;
  fake_cuda::reset({.driver = false});
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorInsufficientDriver);
  EXPECT_EQ(count, 0);
  EXPECT_EQ(cudaDriverGetVersion(&version), cudaSuccess);
  EXPECT_EQ(version, 0);
  fake_cuda::reset({.devices = 0});
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorNoDevice);
  EXPECT_STREQ(cudaGetErrorName(cudaErrorNoDevice), "cudaErrorNoDevice");
  fake_cuda::reset();
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
  EXPECT_EQ(count, 1);
}

}  // namespace
