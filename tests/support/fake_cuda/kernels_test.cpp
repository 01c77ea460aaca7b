// Kernels on the emulator: what a warp and a block do together, and mistakes that a card answers with silence.

#include <algorithm>
#include <bit>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "cuda_runtime.h"
#include "support/fake_cuda/fake_cuda.hpp"

namespace {

constexpr unsigned everyone = 0xffffffffu;

__global__ void sum_by_shuffles(const int* values, int* sums, int count) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  int value = i < static_cast<unsigned>(count) ? values[i] : 0;
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(everyone, value, step);
  if (threadIdx.x % 32 == 0) atomicAdd(sums + blockIdx.x, value);
}

__global__ void sum_by_shared_memory(const int* values, int* sums, int count) {
  __shared__ int shared[128];
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x, place = threadIdx.x;
  shared[place] = i < static_cast<unsigned>(count) ? values[i] : 0;
  __syncthreads();
  for (unsigned half = 64; half > 0; half /= 2) {
    if (place < half) shared[place] += shared[place + half];
    __syncthreads();
  }
  if (place == 0) sums[blockIdx.x] = shared[0];
}

__global__ void where_am_i(uint3* places) {
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  places[block * blockDim.x * blockDim.y * blockDim.z + thread] = {threadIdx.x + 100 * blockIdx.x, threadIdx.y + 100 * blockIdx.y,
                                                                   threadIdx.z + 100 * blockIdx.z};
}

/// Everything that a warp can do in parts: lanes below `border` and the others go apart, each with its own mask.
__global__ void in_two_parts(unsigned border, unsigned* ballots, int* firsts, int* ups, int* downs) {
  const unsigned lane = threadIdx.x % 32, low = (1u << border) - 1;
  const unsigned mask = lane < border ? low : ~low;
  if (lane < border) {
    ballots[threadIdx.x] = __ballot_sync(mask, lane % 3 == 0);
    firsts[threadIdx.x] = __shfl_sync(mask, static_cast<int>(lane) * 10, 0);
  } else {
    firsts[threadIdx.x] = __shfl_sync(mask, static_cast<int>(lane) * 10, static_cast<int>(border));
    ballots[threadIdx.x] = __ballot_sync(mask, lane % 3 == 0);
  }
  __syncwarp();
  ups[threadIdx.x] = __shfl_up_sync(everyone, static_cast<int>(lane), 3, 8);
  downs[threadIdx.x] = __shfl_down_sync(everyone, static_cast<int>(lane), 3, 8);
}

__global__ void votes(int* any, int* all, int* block_any, int* block_all, int* block_count) {
  any[threadIdx.x] = __any_sync(everyone, threadIdx.x == 40);
  all[threadIdx.x] = __all_sync(everyone, threadIdx.x != 40);
  block_any[threadIdx.x] = __syncthreads_or(threadIdx.x == 40);
  block_all[threadIdx.x] = __syncthreads_and(threadIdx.x != 40);
  block_count[threadIdx.x] = __syncthreads_count(threadIdx.x % 5 == 0);
}

__global__ void early_exit(int* out) {
  if (threadIdx.x >= 64) return;
  __syncthreads();  // waits for those that have not ended
  out[threadIdx.x] = 1;
}

__global__ void barrier_on_one_side(int) {
  if (threadIdx.x < 5) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}
__global__ void shuffle_without_lane_seven(int) {
  if (threadIdx.x != 7) __shfl_sync(everyone, 1, 0);
}
__global__ void shuffle_against_barrier(int) {
  if (threadIdx.x == 7) {
    __syncthreads();
  } else {
    __shfl_sync(everyone, 1, 0);
  }
}
__global__ void mask_without_oneself(int) { __syncwarp(1u); }
__global__ void shuffle_from_outside(int) {
  if (threadIdx.x < 4) __shfl_sync(0xfu, 1, 9);
}
__global__ void different_operations(int) {
  if (threadIdx.x % 2 == 0) {
    __ballot_sync(everyone, 1);
  } else {
    __syncwarp();
  }
}

template <class... Expected, class... Actual>
void launch(dim3 grid, dim3 block, void (*kernel)(Expected...), Actual&&... arguments) {
  const cudaLaunchConfig_t config{grid, block, 0, nullptr, nullptr, 0};
  ASSERT_EQ(cudaLaunchKernelEx(&config, kernel, std::forward<Actual>(arguments)...), cudaSuccess);
  ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

std::string fault_of(void (*kernel)(int), unsigned threads = 64) {
  const fake_cuda::FaultsThrow throws;
  const cudaLaunchConfig_t config{1, threads, 0, nullptr, nullptr, 0};
  EXPECT_EQ(cudaLaunchKernelEx(&config, kernel, 0), cudaSuccess);
  try {
    cudaDeviceSynchronize();
  } catch (const fake_cuda::KernelFault& fault) {
    return fault.what();
  }
  return "no fault";
}

class FakeKernels : public testing::Test {
 protected:
  void SetUp() override { fake_cuda::reset({.separate_memory = false}); }
};

TEST_F(FakeKernels, SumsAsOneWould) {
  constexpr int count = 1000, blocks = 8;
  std::vector<int> values(count);
  std::mt19937 random(1);
  for (int& value : values) value = static_cast<int>(random() % 1000);
  for (const auto kernel : {&sum_by_shuffles, &sum_by_shared_memory}) {
    std::vector<int> sums(blocks, 0);
    launch(blocks, 128, kernel, values.data(), sums.data(), count);
    for (int b = 0; b < blocks; ++b) {
      EXPECT_EQ(sums[static_cast<std::size_t>(b)],
                std::accumulate(values.begin() + b * 128, values.begin() + std::min(count, b * 128 + 128), 0))
          << b;
    }
  }
}

TEST_F(FakeKernels, ThreadsKnowTheirPlace) {
  const dim3 grid(3, 2, 2), block(5, 3, 2);
  std::vector<uint3> places(12 * 30, uint3{999, 999, 999});
  launch(grid, block, &where_am_i, places.data());
  for (unsigned i = 0; i < places.size(); ++i) {
    const unsigned t = i % 30, b = i / 30;
    EXPECT_EQ(places[i].x, t % 5 + 100 * (b % 3));
    EXPECT_EQ(places[i].y, t / 5 % 3 + 100 * (b / 3 % 2));
    EXPECT_EQ(places[i].z, t / 15 + 100 * (b / 6));
  }
}

TEST_F(FakeKernels, PartsOfAWarpAndGroupsOfLanes) {
  constexpr unsigned border = 13;
  std::vector<unsigned> ballots(96);
  std::vector<int> firsts(96), ups(96), downs(96);
  launch(1, 96, &in_two_parts, border, ballots.data(), firsts.data(), ups.data(), downs.data());
  unsigned thirds = 0;
  for (unsigned lane = 0; lane < 32; lane += 3) thirds |= 1u << lane;
  for (unsigned i = 0; i < 96; ++i) {
    const unsigned lane = i % 32, low = (1u << border) - 1;
    EXPECT_EQ(ballots[i], thirds & (lane < border ? low : ~low));
    EXPECT_EQ(firsts[i], lane < border ? 0 : 130);
    EXPECT_EQ(ups[i], static_cast<int>(lane % 8 < 3 ? lane : lane - 3));
    EXPECT_EQ(downs[i], static_cast<int>(lane % 8 > 4 ? lane : lane + 3));
  }
}

TEST_F(FakeKernels, VotesOfWarpsAndBlocks) {
  std::vector<int> any(64), all(64), block_any(64), block_all(64), block_count(64);
  launch(1, 64, &votes, any.data(), all.data(), block_any.data(), block_all.data(), block_count.data());
  for (unsigned i = 0; i < 64; ++i) {
    EXPECT_EQ(any[i], i >= 32);
    EXPECT_EQ(all[i], i < 32);
    EXPECT_EQ(block_any[i], 1);
    EXPECT_EQ(block_all[i], 0);
    EXPECT_EQ(block_count[i], 13);
  }
}

TEST_F(FakeKernels, ThreadsThatEndedAreNotWaitedFor) {
  std::vector<int> out(96, 0);
  launch(2, 96, &early_exit, out.data());
  EXPECT_EQ(std::count(out.begin(), out.end(), 1), 64);
}

TEST_F(FakeKernels, WhatACardWouldHangOnIsTold) {
  EXPECT_NE(fault_of(&barrier_on_one_side).find("another __syncthreads"), std::string::npos);
  const std::string missing = fault_of(&shuffle_without_lane_seven, 32);
  EXPECT_NE(missing.find("0x80 have ended"), std::string::npos) << missing;
  const std::string barrier = fault_of(&shuffle_against_barrier, 32);
  EXPECT_NE(barrier.find("0x80 wait in __syncthreads"), std::string::npos) << barrier;
  EXPECT_NE(fault_of(&mask_without_oneself).find("does not name the calling lane"), std::string::npos);
  EXPECT_NE(fault_of(&shuffle_from_outside).find("from lane 9, which is not in the mask 0xf"), std::string::npos);
  EXPECT_NE(fault_of(&different_operations).find("another operation"), std::string::npos);
  // A partial warp has not the lanes that a full mask names.
  EXPECT_NE(fault_of([](int) { __syncwarp(); }, 20).find("0xfff00000 do not exist"), std::string::npos);
  // And the machine works on.
  std::vector<int> values(64, 1), sums(1, 0);
  launch(1, 64, &sum_by_shuffles, values.data(), sums.data(), 64);
  EXPECT_EQ(sums[0], 64);
}

TEST_F(FakeKernels, HostMemoryIsNotForKernels) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "addresses on the stack tell nothing where AddressSanitizer keeps it elsewhere";
#endif
  fake_cuda::reset();
  const fake_cuda::FaultsThrow throws;
  int value = 0;
  const cudaLaunchConfig_t config{1, 32, 0, nullptr, nullptr, 0};
  EXPECT_THROW(cudaLaunchKernelEx(&config, &early_exit, &value), fake_cuda::KernelFault);
}

TEST_F(FakeKernels, IntrinsicsOfBits) {
  EXPECT_EQ(__brev(1u), 0x80000000u);
  EXPECT_EQ(__brevll(2ull), 1ull << 62);
  EXPECT_EQ(__ffs(0), 0);
  EXPECT_EQ(__ffs(8), 4);
  EXPECT_EQ(__ffsll(1ll << 40), 41);
  EXPECT_EQ(__clz(1), 31);
  EXPECT_EQ(__clzll(1), 63);
  EXPECT_EQ(__popc(0xf0fu), 8);
  EXPECT_EQ(__umul64hi(1ull << 63, 6), 3ull);
  EXPECT_EQ(__mul64hi(-1, 1), -1);
  unsigned low = 7;
  EXPECT_EQ(atomicMin(&low, 3u), 7u);
  EXPECT_EQ(low, 3u);
}

TEST_F(FakeKernels, LaunchesThatACardRefuses) {
  const auto nothing = +[](int) {};
  for (const cudaLaunchConfig_t& config :
       {cudaLaunchConfig_t{0, 32, 0, nullptr, nullptr, 0}, cudaLaunchConfig_t{1, 1025, 0, nullptr, nullptr, 0},
        cudaLaunchConfig_t{1, 0, 0, nullptr, nullptr, 0}, cudaLaunchConfig_t{dim3(1, 70000), 32, 0, nullptr, nullptr, 0}}) {
    EXPECT_EQ(cudaLaunchKernelEx(&config, nothing, 0), cudaErrorInvalidConfiguration);
    EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidConfiguration);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  }
}

}  // namespace
