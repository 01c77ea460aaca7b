#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>

#include "compute/cuda/cuda_error.hpp"
#include "compute/cuda/lanes.hpp"

namespace tuile::compute::cuda {

/// How the work of a backend went beyond its results.
struct WorkCounts {
  std::atomic<std::uint64_t> batches_halved{0}, tiles_in_blocks{0}, tiles_moved{0};
};

/// Finds lanes for the work of one call, and others where a device is lost. Thread-safe.
class Dispatch {
 public:
  /// workers: how many pieces of work the call may have under way
  Dispatch(Lanes& lanes, WorkCounts& counts, std::size_t workers, const std::stop_token& stop)
      : lanes_(lanes), counts_(counts), workers_(workers), stop_(stop) {}

  /// Calls work(lane) on some device, again on another where that is lost meanwhile: then `moved` is set.
  /// Throws what work does, Cancelled, and DeviceError where no device is left.
  template <class Work>
  void run(Share share, bool& moved, Work&& work) {
    for (;;) {
      const auto lease = lanes_.lease(share, stop_);
      try {
        return work(lease->lane());
      } catch (const DeviceLost& lost) {
        lanes_.drop(lease->device(), lost.what());
        moved = true;
      }
    }
  }

  bool any_free() const { return lanes_.any_free(); }
  std::size_t workers() const noexcept { return workers_; }
  WorkCounts& counts() noexcept { return counts_; }

 private:
  Lanes& lanes_;
  WorkCounts& counts_;
  const std::size_t workers_;
  const std::stop_token& stop_;
};

}  // namespace tuile::compute::cuda
