#include <algorithm>
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_scan.cuh>
#include <utility>

#include "compute/cuda/cuda_error.hpp"
#include "compute/cuda/primitives.hpp"

namespace tuile::compute::cuda {

std::size_t primitive_bytes(std::uint32_t sorted, std::uint32_t scanned, std::uint32_t key_bits) {
  std::size_t sort = 0, scan = 0;
  cub::DoubleBuffer<std::uint64_t> keys(nullptr, nullptr);
  cub::DoubleBuffer<std::uint32_t> values(nullptr, nullptr);
  check(cub::DeviceRadixSort::SortPairs(nullptr, sort, keys, values, static_cast<int>(sorted), 0, static_cast<int>(key_bits)),
        "asking what sorting takes");
  check(cub::DeviceScan::ExclusiveSum(nullptr, scan, static_cast<const std::uint32_t*>(nullptr), static_cast<std::uint32_t*>(nullptr),
                                      static_cast<int>(scanned)),
        "asking what a scan takes");
  return std::max<std::size_t>({sort, scan, 1});
}

void sort_pairs(std::byte* temporary, std::size_t temporary_bytes, std::uint64_t* (&keys)[2], std::uint32_t* (&values)[2],
                std::uint32_t count, std::uint32_t key_bits, cudaStream_t stream) {
  if (count == 0) return;
  cub::DoubleBuffer<std::uint64_t> key_buffers(keys[0], keys[1]);
  cub::DoubleBuffer<std::uint32_t> value_buffers(values[0], values[1]);
  check(cub::DeviceRadixSort::SortPairs(temporary, temporary_bytes, key_buffers, value_buffers, static_cast<int>(count), 0,
                                        static_cast<int>(key_bits), stream),
        "sorting points");
  if (key_buffers.Current() != keys[0]) std::swap(keys[0], keys[1]);
  if (value_buffers.Current() != values[0]) std::swap(values[0], values[1]);
}

void sum_before(std::byte* temporary, std::size_t temporary_bytes, const std::uint32_t* from, std::uint32_t* to, std::uint32_t count,
                cudaStream_t stream) {
  if (count == 0) return;
  check(cub::DeviceScan::ExclusiveSum(temporary, temporary_bytes, from, to, static_cast<int>(count), stream), "scanning");
}

}  // namespace tuile::compute::cuda
