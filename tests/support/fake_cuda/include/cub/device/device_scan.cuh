#pragma once

#include "cub/common.hpp"

namespace cub {

struct DeviceScan {
  template <class Input, class Output, class Items>
  static cudaError_t ExclusiveSum(void* temporary, std::size_t& temporary_bytes, Input in, Output out, Items items, cudaStream_t stream = nullptr) {
    return scan("cub::DeviceScan::ExclusiveSum", temporary, temporary_bytes, in, out, items, stream, false);
  }
  template <class Input, class Output, class Items>
  static cudaError_t InclusiveSum(void* temporary, std::size_t& temporary_bytes, Input in, Output out, Items items, cudaStream_t stream = nullptr) {
    return scan("cub::DeviceScan::InclusiveSum", temporary, temporary_bytes, in, out, items, stream, true);
  }

 private:
  template <class Input, class Output, class Items>
  static cudaError_t scan(const char* name, void* temporary, std::size_t& temporary_bytes, Input in, Output out, Items items, cudaStream_t stream,
                          bool inclusive) {
    const std::size_t n = fake_cuda::item_count(items);
    return fake_cuda::algorithm(name, temporary, temporary_bytes, 512 + n / 8, stream, [=] {
      using Sum = std::remove_cvref_t<decltype(in[0])>;  // sums are of the input's type, as the real ones
      Sum sum{};
      for (std::size_t i = 0; i < n; ++i) {
        const Sum value = in[i];
        const Sum with = static_cast<Sum>(sum + value);
        out[i] = inclusive ? with : sum;
        sum = with;
      }
    });
  }
};

}  // namespace cub
