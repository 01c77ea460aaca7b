#pragma once

#include <cuda_runtime.h>

#include <string>

#include "tuile/core/error.hpp"

namespace tuile::compute::cuda {

/// A device has no memory left: less work at once can help, unlike where the host has none.
class DeviceOutOfMemory final : public OutOfMemory {
 public:
  using OutOfMemory::OutOfMemory;
};

/// A device failed in a way that no later call on it can recover from: its work has to be done elsewhere.
class DeviceLost final : public DeviceError {
 public:
  using DeviceError::DeviceError;
};

/// True for errors after which every call on the device fails: the process would have to be started again to use it.
bool is_sticky(cudaError_t error) noexcept;

/// "cudaErrorLaunchFailure (unspecified launch failure)"
std::string describe(cudaError_t error);

/// Throws DeviceOutOfMemory, DeviceLost or DeviceError, naming the calling thread's device, what was done, the error and the remedy, and
/// clears the thread's last error.
[[noreturn]] void throw_cuda_error(cudaError_t error, const char* what);

/// what: "copying points to the device"
inline void check(cudaError_t error, const char* what) {
  if (error != cudaSuccess) throw_cuda_error(error, what);
}

}  // namespace tuile::compute::cuda
