#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "tuile/core/mutex.hpp"

namespace tuile::compute::cuda {

class DeviceMemory;

/// A stretch of device memory, valid in the order of the stream that it was leased for; goes back in that order. Move-only.
class DeviceLease {
 public:
  DeviceLease() noexcept = default;
  DeviceLease(DeviceLease&& other) noexcept
      : memory_(std::exchange(other.memory_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        bytes_(std::exchange(other.bytes_, 0)),
        stream_(other.stream_) {}
  DeviceLease& operator=(DeviceLease&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(stream_, other.stream_);
    return *this;
  }
  ~DeviceLease();

  /// Aligned to 256 bytes; null where nothing was leased.
  std::byte* data() const noexcept { return static_cast<std::byte*>(data_); }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  friend class DeviceMemory;
  DeviceLease(DeviceMemory* memory, void* data, std::size_t bytes, cudaStream_t stream) noexcept
      : memory_(memory), data_(data), bytes_(bytes), stream_(stream) {}
  DeviceMemory* memory_ = nullptr;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
  cudaStream_t stream_ = nullptr;
};

/// The memory of one device: a stream-ordered pool of its own, which keeps what was freed for whoever comes next. Thread-safe.
class DeviceMemory {
 public:
  struct Statistics {
    std::uint64_t allocations = 0;       ///< leases …
    std::uint64_t reused = 0;            ///< … for which the pool took nothing from the device
    std::uint64_t trims = 0;             ///< times that the pool gave back what it kept, for want of memory
    std::uint64_t in_use = 0, peak = 0;  ///< bytes leased
    bool operator==(const Statistics&) const = default;
  };

  /// The device must be the current one. Throws DeviceError.
  explicit DeviceMemory(int device);
  ~DeviceMemory();
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  /// bytes: 0 gives an empty lease. The device must be the current one, `stream` one of it.
  /// Throws DeviceOutOfMemory, where a trimmed pool has no room either, DeviceError.
  DeviceLease lease(std::size_t bytes, cudaStream_t stream);
  /// Gives back to the device what is not in use.
  void trim() noexcept;
  /// Bytes that could be leased now: what the device has free, and what the pool keeps. The device must be the current one.
  /// Throws DeviceError.
  std::uint64_t available() const;
  Statistics statistics() const;

 private:
  friend class DeviceLease;
  void give_back(void* data, std::size_t bytes, cudaStream_t stream) noexcept;
  std::uint64_t attribute(cudaMemPoolAttr which) const;

  cudaMemPool_t pool_ = nullptr;
  mutable Mutex mutex_;
  Statistics statistics_ GUARDED_BY(mutex_);
};

}  // namespace tuile::compute::cuda
