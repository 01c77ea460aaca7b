#pragma once

#include <vector>

#include "cub/common.hpp"

namespace cub {

struct DeviceSelect {
  template <class Input, class Flags, class Output, class Count, class Items>
  static cudaError_t Flagged(void* temporary, std::size_t& temporary_bytes, Input in, Flags flags, Output out, Count selected, Items items,
                             cudaStream_t stream = nullptr) {
    const std::size_t n = fake_cuda::item_count(items);
    return fake_cuda::algorithm("cub::DeviceSelect::Flagged", temporary, temporary_bytes, 512 + n / 8, stream, [=] {
      std::size_t kept = 0;
      for (std::size_t i = 0; i < n; ++i) {
        if (flags[i]) out[kept++] = in[i];
      }
      *selected = static_cast<std::remove_cvref_t<decltype(*selected)>>(kept);
    });
  }

  template <class Data, class Flags, class Count, class Items>
    requires std::is_integral_v<Items>
  static cudaError_t Flagged(void* temporary, std::size_t& temporary_bytes, Data data, Flags flags, Count selected, Items items,
                             cudaStream_t stream = nullptr) {
    return Flagged(temporary, temporary_bytes, data, flags, data, selected, items, stream);
  }
};

}  // namespace cub
