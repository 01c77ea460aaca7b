#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "compute/cuda/cuda_error.hpp"

/// What a measurement holds of a device. The default device throughout. All throw DeviceError.
namespace tuile::gpu_check {

using compute::cuda::check;

class Stream {
 public:
  Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream"); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t get() const noexcept { return stream_; }
  void wait() const { check(cudaStreamSynchronize(stream_), "waiting for a stream"); }

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  Event() { check(cudaEventCreate(&event_), "making an event"); }
  ~Event() {
    if (event_ != nullptr) cudaEventDestroy(event_);
  }
  Event(Event&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
  Event& operator=(Event&&) = delete;
  cudaEvent_t get() const noexcept { return event_; }
  void record(const Stream& stream) const { check(cudaEventRecord(event_, stream.get()), "recording an event"); }
  void wait() const { check(cudaEventSynchronize(event_), "waiting for an event"); }
  /// Both must have happened.
  double milliseconds_since(const Event& earlier) const {
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, earlier.event_, event_), "reading the time between events");
    return static_cast<double>(milliseconds);
  }

 private:
  cudaEvent_t event_ = nullptr;
};

/// Memory of the device.
class DeviceBytes {
 public:
  DeviceBytes() = default;
  explicit DeviceBytes(std::size_t size) : size_(size) {
    if (size > 0) check(cudaMalloc(&data_, size), "allocating device memory");
  }
  ~DeviceBytes() {
    if (data_ != nullptr) cudaFree(data_);
  }
  DeviceBytes(DeviceBytes&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  DeviceBytes& operator=(DeviceBytes&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  std::byte* get() const noexcept { return static_cast<std::byte*>(data_); }
  std::size_t size() const noexcept { return size_; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// An array in the device's memory, as in the host's; null where that is empty.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  explicit DeviceArray(std::span<const T> host) : bytes_(host.size_bytes()) {
    if (!host.empty()) check(cudaMemcpy(bytes_.get(), host.data(), host.size_bytes(), cudaMemcpyHostToDevice), "copying to the device");
  }
  T* get() const noexcept { return reinterpret_cast<T*>(bytes_.get()); }

 private:
  DeviceBytes bytes_;
};

/// Page-locked memory of the host.
class PinnedBytes {
 public:
  explicit PinnedBytes(std::size_t size) { check(cudaMallocHost(&data_, size), "allocating page-locked memory"); }
  ~PinnedBytes() { cudaFreeHost(data_); }
  PinnedBytes(const PinnedBytes&) = delete;
  PinnedBytes& operator=(const PinnedBytes&) = delete;
  std::byte* get() const noexcept { return static_cast<std::byte*>(data_); }

 private:
  void* data_ = nullptr;
};

}  // namespace tuile::gpu_check
