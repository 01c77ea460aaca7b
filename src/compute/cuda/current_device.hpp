#pragma once

#include <cuda_runtime.h>

namespace tuile::compute::cuda {

/// Makes a device the calling thread's current one for its lifetime. Never throws: a call that needs the device says what is wrong.
class CurrentDevice {
 public:
  explicit CurrentDevice(int device) noexcept {
    if (cudaGetDevice(&before_) != cudaSuccess) before_ = device;
    if (before_ != device) cudaSetDevice(device);
    device_ = device;
  }
  ~CurrentDevice() {
    if (before_ != device_) cudaSetDevice(before_);
  }
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;

 private:
  int before_ = 0, device_ = 0;
};

}  // namespace tuile::compute::cuda
