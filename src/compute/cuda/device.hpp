#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compute/cuda/device_clock.hpp"
#include "compute/cuda/device_memory.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::compute::cuda {

class Lane;

/// A device in use: its memory, its clock, its lanes, and what it has done. Thread-safe.
class Device {
 public:
  /// Work that a device has at once: one batch comes up, one is computed, one goes down.
  static constexpr int lane_count = 3;

  /// Throws DeviceError, DeviceOutOfMemory.
  Device(int id, const std::function<void(const DeviceSpan&)>& on_span);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  int id() const noexcept { return id_; }
  const std::string& name() const noexcept { return name_; }
  DeviceMemory& memory() noexcept { return memory_; }
  DeviceClock& clock() noexcept { return clock_; }
  const std::vector<std::unique_ptr<Lane>>& lanes() const noexcept { return lanes_; }

  /// Bytes that the batches of one lane should take at most, and those of a batch that has the device for itself.
  std::uint64_t lane_bytes() const noexcept { return usable_bytes() / lane_count; }
  std::uint64_t usable_bytes() const noexcept { return usable_; }
  /// Looks again for what is free: another program may have taken some of it. Nothing of ours may run. Throws DeviceError; then what was
  /// known stands.
  void measure_memory();

  /// The device gave a sticky error and gets no more work. Its first reason counts.
  void drop(const std::string& reason);
  bool is_lost() const;

  void count_tiles(std::uint64_t tiles) noexcept { tiles_ += tiles; }
  void count_upload(std::uint64_t bytes) noexcept { uploaded_ += bytes; }
  void count_download(std::uint64_t bytes) noexcept { downloaded_ += bytes; }
  DeviceReport report() const;

 private:
  struct MadeCurrent {
    explicit MadeCurrent(int id);
  };

  const int id_;
  const MadeCurrent made_current_;
  std::string name_;
  DeviceMemory memory_;
  DeviceClock clock_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<std::uint64_t> usable_{0}, tiles_{0}, uploaded_{0}, downloaded_{0};
  mutable Mutex mutex_;
  std::string lost_ GUARDED_BY(mutex_);
};

}  // namespace tuile::compute::cuda
