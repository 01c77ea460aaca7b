#pragma once

#include <cstddef>

namespace tuile {

/// Where a Buffer's memory comes from when it is not the heap: page-locked memory, say, that a GPU copies from and to at full speed.
/// Thread-safe. Shared by the buffers made with it, so it lives as long as the last of them.
class HostMemory {
 public:
  virtual ~HostMemory() = default;
  /// At least 64-byte aligned, not initialised; bytes > 0. Null where there is none left.
  virtual void* allocate(std::size_t bytes) noexcept = 0;
  /// data, bytes: of an allocate().
  virtual void release(void* data, std::size_t bytes) noexcept = 0;
};

}  // namespace tuile
