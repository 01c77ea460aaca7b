#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <type_traits>
#include <utility>

#include "cuda_runtime.h"

/// What the fake algorithms share: the way temporary storage is asked for, and the stream.
namespace fake_cuda {

/// Says the size where temporary is null; else checks it, spoils what it holds (so that whoever keeps data there finds out) and puts the
/// work on the stream.
inline cudaError_t algorithm(const char* name, void* temporary, std::size_t& temporary_bytes, std::size_t needed, cudaStream_t stream,
                             std::function<void()> work) {
  if (temporary == nullptr) {
    temporary_bytes = needed;
    return cudaSuccess;
  }
  if (temporary_bytes < needed) return cudaErrorInvalidValue;
  return enqueue(name, stream, [temporary, needed, work = std::move(work)] {
    std::memset(temporary, 0xee, needed);
    work();
  });
}

template <class Items>
std::size_t item_count(Items items) {
  static_assert(std::is_integral_v<Items>);
  return items > 0 ? static_cast<std::size_t>(items) : 0;
}

}  // namespace fake_cuda
