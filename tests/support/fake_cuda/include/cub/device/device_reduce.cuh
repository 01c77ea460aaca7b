#pragma once

#include <limits>

#include "cub/common.hpp"

namespace cub {

struct DeviceReduce {
  template <class Input, class Output, class Items>
  static cudaError_t Sum(void* temporary, std::size_t& temporary_bytes, Input in, Output out, Items items, cudaStream_t stream = nullptr) {
    using Value = std::remove_cvref_t<decltype(in[0])>;
    return reduce("cub::DeviceReduce::Sum", temporary, temporary_bytes, in, out, items, stream, Value{},
                  [](Value a, Value b) { return static_cast<Value>(a + b); });
  }
  template <class Input, class Output, class Items>
  static cudaError_t Max(void* temporary, std::size_t& temporary_bytes, Input in, Output out, Items items, cudaStream_t stream = nullptr) {
    using Value = std::remove_cvref_t<decltype(in[0])>;
    return reduce("cub::DeviceReduce::Max", temporary, temporary_bytes, in, out, items, stream, std::numeric_limits<Value>::lowest(),
                  [](Value a, Value b) { return a < b ? b : a; });
  }
  template <class Input, class Output, class Items>
  static cudaError_t Min(void* temporary, std::size_t& temporary_bytes, Input in, Output out, Items items, cudaStream_t stream = nullptr) {
    using Value = std::remove_cvref_t<decltype(in[0])>;
    return reduce("cub::DeviceReduce::Min", temporary, temporary_bytes, in, out, items, stream, std::numeric_limits<Value>::max(),
                  [](Value a, Value b) { return b < a ? b : a; });
  }

 private:
  template <class Input, class Output, class Items, class Value, class Combine>
  static cudaError_t reduce(const char* name, void* temporary, std::size_t& temporary_bytes, Input in, Output out, Items items,
                            cudaStream_t stream, Value first, Combine combine) {
    const std::size_t n = fake_cuda::item_count(items);
    return fake_cuda::algorithm(name, temporary, temporary_bytes, 512 + n / 64, stream, [=] {
      Value value = first;
      for (std::size_t i = 0; i < n; ++i) value = combine(value, in[i]);
      *out = value;
    });
  }
};

}  // namespace cub
