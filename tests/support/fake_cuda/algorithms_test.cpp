// The algorithms of CUB against those of the standard library.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "cub/cub.cuh"
#include "support/fake_cuda/fake_cuda.hpp"

namespace {

class FakeAlgorithms : public testing::Test {
 protected:
  void SetUp() override { fake_cuda::reset({.separate_memory = false}); }

  /// Asks for the size, then runs.
  template <class Algorithm>
  void run(Algorithm algorithm) {
    std::size_t bytes = 0;
    ASSERT_EQ(algorithm(nullptr, bytes), cudaSuccess);
    ASSERT_GT(bytes, 0u);
    std::vector<char> temporary(bytes);
    std::size_t fewer = bytes - 1;
    EXPECT_EQ(algorithm(temporary.data(), fewer), cudaErrorInvalidValue);
    ASSERT_EQ(algorithm(temporary.data(), bytes), cudaSuccess);
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  }
};

TEST_F(FakeAlgorithms, SortsPairsByTheBitsAskedForAndKeepsTheOrderOfEqualOnes) {
  std::mt19937_64 random(1);
  for (int repeat = 0; repeat < 4; ++repeat) {  // the result lies in either buffer
    constexpr std::size_t n = 1000;
    std::vector<std::uint64_t> keys(n), other_keys(n);
    std::vector<std::uint32_t> values(n), other_values(n);
    for (auto& key : keys) key = random();
    std::iota(values.begin(), values.end(), 0u);
    const auto original = keys;
    std::vector<std::uint32_t> expected = values;
    std::stable_sort(expected.begin(), expected.end(),
                     [&](auto a, auto b) { return (original[a] >> 8 & 0x3f) < (original[b] >> 8 & 0x3f); });
    cub::DoubleBuffer<std::uint64_t> key_buffers(keys.data(), other_keys.data());
    cub::DoubleBuffer<std::uint32_t> value_buffers(values.data(), other_values.data());
    run([&](void* temporary, std::size_t& bytes) {
      return cub::DeviceRadixSort::SortPairs(temporary, bytes, key_buffers, value_buffers, n, 8, 14);
    });
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(value_buffers.Current()[i], expected[i]);
      ASSERT_EQ(key_buffers.Current()[i], original[expected[i]]);
      ASSERT_EQ(value_buffers.Alternate()[i], 0xeeeeeeeeu);  // whoever reads the other one finds out
    }
  }
}

TEST_F(FakeAlgorithms, SelectsScansAndReduces) {
  const std::vector<int> in{5, 1, 4, 1, 5, 9, 2, 6};
  const std::vector<std::uint8_t> flags{1, 0, 0, 1, 1, 0, 0, 1};
  std::vector<int> out(8, -1);
  int count = 0;
  run([&](void* temporary, std::size_t& bytes) {
    return cub::DeviceSelect::Flagged(temporary, bytes, in.data(), flags.data(), out.data(), &count, 8);
  });
  EXPECT_EQ(count, 4);
  EXPECT_EQ(std::vector<int>(out.begin(), out.begin() + 4), (std::vector<int>{5, 1, 5, 6}));
  run([&](void* temporary, std::size_t& bytes) { return cub::DeviceScan::ExclusiveSum(temporary, bytes, in.data(), out.data(), 8); });
  std::vector<int> expected(8);
  std::exclusive_scan(in.begin(), in.end(), expected.begin(), 0);
  EXPECT_EQ(out, expected);
  run([&](void* temporary, std::size_t& bytes) { return cub::DeviceScan::InclusiveSum(temporary, bytes, in.data(), out.data(), 8); });
  std::inclusive_scan(in.begin(), in.end(), expected.begin());
  EXPECT_EQ(out, expected);
  int sum = 0, largest = 0;
  run([&](void* temporary, std::size_t& bytes) { return cub::DeviceReduce::Sum(temporary, bytes, in.data(), &sum, 8); });
  run([&](void* temporary, std::size_t& bytes) { return cub::DeviceReduce::Max(temporary, bytes, in.data(), &largest, 8); });
  EXPECT_EQ(sum, 33);
  EXPECT_EQ(largest, 9);
}

}  // namespace
