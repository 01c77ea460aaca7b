#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

#include "compute/cuda/current_device.hpp"
#include "compute/cuda/device.hpp"
#include "compute/cuda/lane.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::compute::cuda {

class Lanes;

/// How much of a device a batch takes.
enum class Share { lane, device };

/// A lane in use, or with Share::device all lanes of a device, of which one does the work; its device is the calling thread's current one.
/// When it goes, what was queued on the lane is waited for: nothing uses the callers' memory any more.
class LaneLease {
 public:
  LaneLease(Lanes& lanes, Device& device, std::vector<Lane*> held) noexcept
      : lanes_(lanes), device_(device), held_(std::move(held)), current_(device.id()) {}
  ~LaneLease();
  LaneLease(const LaneLease&) = delete;
  LaneLease& operator=(const LaneLease&) = delete;

  Lane& lane() const noexcept { return *held_.front(); }
  Device& device() const noexcept { return device_; }

 private:
  Lanes& lanes_;
  Device& device_;
  const std::vector<Lane*> held_;
  const CurrentDevice current_;
};

/// The lanes of all devices. First come, first served, so that who wants a whole device gets one. Thread-safe.
class Lanes {
 public:
  explicit Lanes(std::vector<std::unique_ptr<Device>>& devices);
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  /// A lane of the device that has the most free. Throws Cancelled when stopped, DeviceError where no device is left.
  std::unique_ptr<LaneLease> lease(Share share, const std::stop_token& stop);
  /// Whether lease(Share::lane) would not wait.
  bool any_free() const;
  /// No lane of the device is given out any more. reason: what it said.
  void drop(Device& device, const std::string& reason);

 private:
  friend class LaneLease;
  struct Entry {
    Device* device;
    std::vector<Lane*> free;
  };
  void give_back(Device& device, const std::vector<Lane*>& lanes) noexcept;
  /// Where the lease can be had at once; null: nowhere.
  Entry* find(Share share) REQUIRES(mutex_);
  bool any_left() const REQUIRES(mutex_);
  [[noreturn]] void throw_all_lost() const REQUIRES(mutex_);

  mutable Mutex mutex_;
  StoppableCondition changed_;
  std::vector<Entry> entries_ GUARDED_BY(mutex_);
  std::deque<std::uint64_t> waiting_ GUARDED_BY(mutex_);  ///< tickets
  std::uint64_t next_ticket_ GUARDED_BY(mutex_) = 0;
};

}  // namespace tuile::compute::cuda
