#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <utility>

#include "compute/cuda/cuda_error.hpp"

namespace tuile::compute::cuda {

inline constexpr std::uint32_t warp_size = 32;
/// Of every kernel that serves leaves: four warps.
inline constexpr std::uint32_t search_threads = 128;
/// Of every kernel that serves points or slots one by one.
inline constexpr std::uint32_t point_threads = 256;

/// Queues `kernel` for each of `pieces` (blockIdx.y) with a thread for each of `count`, rounded up to whole blocks; nothing for none.
/// what: for the error's message
template <class... Parameters, class... Arguments>
void launch_for_each(cudaStream_t stream, std::uint64_t count, std::uint32_t pieces, std::uint32_t threads, const char* what,
                     void (*kernel)(Parameters...), Arguments&&... arguments) {
  if (count == 0 || pieces == 0) return;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>((count + threads - 1) / threads), pieces);
  config.blockDim = dim3(threads);
  config.stream = stream;
  check(cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...), what);
}

/// The same once.
template <class... Parameters, class... Arguments>
void launch(cudaStream_t stream, std::uint64_t count, std::uint32_t threads, const char* what, void (*kernel)(Parameters...),
            Arguments&&... arguments) {
  launch_for_each(stream, count, 1, threads, what, kernel, std::forward<Arguments>(arguments)...);
}

}  // namespace tuile::compute::cuda
