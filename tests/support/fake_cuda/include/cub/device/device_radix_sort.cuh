#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "cub/common.hpp"
#include "cub/util_type.cuh"

namespace cub {

struct DeviceRadixSort {
  template <class Key, class Value, class Items>
  static cudaError_t SortPairs(void* temporary, std::size_t& temporary_bytes, const Key* keys_in, Key* keys_out, const Value* values_in,
                               Value* values_out, Items items, int begin_bit = 0, int end_bit = sizeof(Key) * 8, cudaStream_t stream = nullptr) {
    const std::size_t n = fake_cuda::item_count(items);
    return fake_cuda::algorithm("cub::DeviceRadixSort::SortPairs", temporary, temporary_bytes, storage(n), stream,
                                [=] { sort(keys_in, keys_out, values_in, values_out, n, begin_bit, end_bit); });
  }

  /// As with the real one, either buffer may hold the result: here by turns.
  template <class Key, class Value, class Items>
  static cudaError_t SortPairs(void* temporary, std::size_t& temporary_bytes, DoubleBuffer<Key>& keys, DoubleBuffer<Value>& values, Items items,
                               int begin_bit = 0, int end_bit = sizeof(Key) * 8, cudaStream_t stream = nullptr) {
    const std::size_t n = fake_cuda::item_count(items);
    const bool flips = temporary != nullptr && next_flips();
    Key *keys_in = keys.Current(), *keys_out = keys.Alternate();
    Value *values_in = values.Current(), *values_out = values.Alternate();
    const cudaError_t error = fake_cuda::algorithm("cub::DeviceRadixSort::SortPairs", temporary, temporary_bytes, storage(n), stream, [=] {
      sort(keys_in, keys_out, values_in, values_out, n, begin_bit, end_bit);
      if (n == 0) return;
      if (!flips) {
        std::swap_ranges(keys_in, keys_in + n, keys_out);
        std::swap_ranges(values_in, values_in + n, values_out);
      }
      std::memset(static_cast<void*>(flips ? keys_in : keys_out), 0xee, n * sizeof(Key));
      std::memset(static_cast<void*>(flips ? values_in : values_out), 0xee, n * sizeof(Value));
    });
    if (flips && error == cudaSuccess) {
      keys.selector ^= 1;
      values.selector ^= 1;
    }
    return error;
  }

  template <class Key, class Items>
  static cudaError_t SortKeys(void* temporary, std::size_t& temporary_bytes, const Key* keys_in, Key* keys_out, Items items, int begin_bit = 0,
                              int end_bit = sizeof(Key) * 8, cudaStream_t stream = nullptr) {
    const std::size_t n = fake_cuda::item_count(items);
    return fake_cuda::algorithm("cub::DeviceRadixSort::SortKeys", temporary, temporary_bytes, storage(n), stream,
                                [=] { sort<Key, char>(keys_in, keys_out, nullptr, nullptr, n, begin_bit, end_bit); });
  }

 private:
  static std::size_t storage(std::size_t n) { return 1024 + n / 4; }

  static bool next_flips() {
    static thread_local bool flips = false;
    return flips = !flips;
  }

  template <class Key, class Value>
  static void sort(const Key* keys_in, Key* keys_out, const Value* values_in, Value* values_out, std::size_t n, int begin_bit, int end_bit) {
    static_assert(std::is_unsigned_v<Key>, "the fake sorts unsigned integers");
    const int bits = end_bit - begin_bit;
    const Key mask = bits >= std::numeric_limits<Key>::digits ? static_cast<Key>(~Key{0}) : static_cast<Key>((Key{1} << bits) - 1);
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return static_cast<Key>(keys_in[a] >> begin_bit & mask) < static_cast<Key>(keys_in[b] >> begin_bit & mask);
    });
    for (std::size_t i = 0; i < n; ++i) {
      keys_out[i] = keys_in[order[i]];
      if (values_in != nullptr) values_out[i] = values_in[order[i]];
    }
  }
};

}  // namespace cub
