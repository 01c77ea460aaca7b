#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compute/cuda/device.hpp"
#include "compute/cuda/stream.hpp"
#include "tuile/core/buffer.hpp"

namespace tuile::compute::cuda {

/// One batch's way through a device: a stream, and the events that tell when its sections ran. Used by one thread at a time; the device
/// must be that thread's current one (LaneLease).
class Lane {
 public:
  /// Throws DeviceError.
  explicit Lane(Device& device) : device_(device) {}

  Device& device() noexcept { return device_; }
  cudaStream_t stream() const noexcept { return stream_.get(); }

  /// What is queued from now on is "upload", "compute" or "download", until the next of these or end(). Throws DeviceError.
  void begin(const char* section);
  /// Nothing is queued for a while.
  void end();
  /// Copies are asynchronous where the host's side is page-locked; it must stay until wait(). Nothing where there are no bytes.
  void upload(void* to, const void* from, std::size_t bytes);
  void download(void* to, const void* from, std::size_t bytes);
  /// A copy to memory that is not page-locked. The driver would spin until the device has come to it, so all before is waited for first,
  /// asleep. What was copied is there when it returns.
  void fetch(void* to, const void* from, std::size_t bytes);
  DeviceLease lease(std::size_t bytes) { return device_.memory().lease(bytes, stream()); }

  /// Sleeps until all that was queued is done. Work on a device cannot be called off, and it uses the callers' memory: who is stopped has
  /// to wait for it too. Throws DeviceError.
  void wait();
  /// The same at the end of a batch, and tells the device's clock what ran when.
  void finish();
  /// Whatever became of it, the device is done with the callers' memory. For who leaves by an exception.
  void drain() noexcept;

 private:
  struct Section {
    const char* what;
    std::size_t first_event, last_event;
  };
  std::size_t record();

  Device& device_;
  const Stream stream_;
  const Event passed_;
  std::vector<std::unique_ptr<Event>> events_;  ///< reused by every batch
  std::size_t recorded_ = 0;
  std::vector<Section> sections_;
  const char* open_ = nullptr;  ///< the section at hand
  std::size_t opened_ = 0;
};

}  // namespace tuile::compute::cuda
