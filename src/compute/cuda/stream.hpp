#pragma once

#include <cuda_runtime.h>

#include "compute/cuda/cuda_error.hpp"

namespace tuile::compute::cuda {

/// A stream that does not wait for the legacy default stream. The device must be the current one.
class Stream {
 public:
  /// Throws DeviceError.
  Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream"); }
  ~Stream() {
    cudaStreamDestroy(stream_);
    cudaGetLastError();
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t get() const noexcept { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

/// An event that tells the time, and that threads wait for asleep.
class Event {
 public:
  /// Throws DeviceError.
  Event() { check(cudaEventCreateWithFlags(&event_, cudaEventBlockingSync), "making an event"); }
  ~Event() {
    cudaEventDestroy(event_);
    cudaGetLastError();
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  cudaEvent_t get() const noexcept { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace tuile::compute::cuda
