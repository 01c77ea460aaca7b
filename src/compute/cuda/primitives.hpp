#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

/// What CUB does for us; `temporary` is its working memory.
namespace tuile::compute::cuda {

/// Working memory for any of the below on so many elements, of the current device. Throws DeviceError.
std::size_t primitive_bytes(std::uint32_t sorted, std::uint32_t scanned, std::uint32_t key_bits);

/// Sorts by the lowest key_bits of the keys, equal ones in their order. The result is in keys[0] and values[0]: the pointers are swapped
/// where it came to lie in [1].
void sort_pairs(std::byte* temporary, std::size_t temporary_bytes, std::uint64_t* (&keys)[2], std::uint32_t* (&values)[2],
                std::uint32_t count, std::uint32_t key_bits, cudaStream_t stream);

/// to[i] = Σ from[j] of j < i.
void sum_before(std::byte* temporary, std::size_t temporary_bytes, const std::uint32_t* from, std::uint32_t* to, std::uint32_t count,
                cudaStream_t stream);

}  // namespace tuile::compute::cuda
