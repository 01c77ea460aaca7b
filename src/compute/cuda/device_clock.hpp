#pragma once

#include <cuda_runtime.h>

#include <chrono>
#include <cstdint>
#include <functional>

#include "compute/cuda/busy_time.hpp"
#include "compute/cuda/stream.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::compute::cuda {

/// Relates a device's events to the host's clock, and adds up for how long the device computed.
///
/// An event only tells how many milliseconds it came after another, as a float, which over hours is good for less than a millisecond. So
/// the event that others are compared with is replaced by a later one now and then. Thread-safe.
class DeviceClock {
 public:
  /// The device must be the current one. on_span may be empty. Throws DeviceError.
  DeviceClock(int device, std::function<void(const DeviceSpan&)> on_span);
  DeviceClock(const DeviceClock&) = delete;
  DeviceClock& operator=(const DeviceClock&) = delete;

  /// A stretch between two events that have passed. what: "upload", "compute" (counted as busy) or "download".
  /// The device must be the current one. Throws DeviceError.
  void add(const char* what, cudaEvent_t begin, cudaEvent_t end);
  double busy_seconds() const;

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::int64_t rebase_after = 20'000'000'000;  ///< ns: floats then are good for a few µs

  void pass(const Event& event);
  void rebase() REQUIRES(mutex_);

  const int device_;
  const Stream stream_;  ///< of nobody else's: its events pass at once
  const std::function<void(const DeviceSpan&)> on_span_;
  mutable Mutex mutex_;
  const Event events_[2];
  int base_ GUARDED_BY(mutex_) = 0;              ///< which of them is the one to compare with
  std::int64_t base_ns_ GUARDED_BY(mutex_) = 0;  ///< when it passed, after start_
  Clock::time_point start_;
  BusyTime busy_ GUARDED_BY(mutex_);
};

}  // namespace tuile::compute::cuda
