#pragma once

#include <cstddef>

#include "support/fake_cuda/state.hpp"

namespace fake_cuda {

inline constexpr std::size_t device_alignment = 256;

/// Memory for allocation.bytes, a multiple of device_alignment, filled; what lies behind it cannot be touched. Sets how it is to be
/// deleted. Null where there is none.
void* new_device_memory(Allocation& allocation);
void delete_device_memory(void* data, const Allocation& allocation);

}  // namespace fake_cuda
