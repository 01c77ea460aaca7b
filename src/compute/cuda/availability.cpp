#include <cuda_runtime.h>

#include <algorithm>

#include "compute/cuda/available_devices.hpp"
#include "compute/cuda/cuda_error.hpp"
#include "compute/cuda_registration.hpp"

namespace tuile::compute::cuda {

namespace {

/// Turing: kernels are compiled for it and newer.
constexpr int least_capability = 75;

std::string version(int number) { return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10); }

/// Why no device could be counted.
std::string no_devices(cudaError_t error) {
  int driver = 0, runtime = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
  if (cudaRuntimeGetVersion(&runtime) != cudaSuccess) runtime = 0;
  cudaGetLastError();
  switch (error) {
    case cudaErrorInsufficientDriver:
    case cudaErrorCallRequiresNewerDriver:
    case cudaErrorStubLibrary:
      if (driver == 0) return "this machine has no NVIDIA driver; install it, or ask for 'cpu' or 'auto'";
      return "the NVIDIA driver supports CUDA " + version(driver) + " at most, and this build needs " + version(runtime) +
             "; install a newer driver, or ask for 'cpu' or 'auto'";
    case cudaErrorNoDevice:
      return "no NVIDIA device is visible (CUDA_VISIBLE_DEVICES may hide them); make one visible, or ask for 'cpu' or 'auto'";
    case cudaErrorInitializationError:
      return "CUDA could not be initialised; a process that was forked from one that used it cannot: start it with 'spawn', or ask for "
             "'cpu'";
    default: return "counting the devices failed: " + describe(error) + "; look at nvidia-smi, or ask for 'cpu' or 'auto'";
  }
}

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  if (cudaDeviceGetAttribute(&value, which, device) == cudaSuccess) return value;
  cudaGetLastError();
  return 0;
}

/// Why the device cannot be used; empty: it can.
std::string objection(int device) {
  const int major = attribute(cudaDevAttrComputeCapabilityMajor, device), minor = attribute(cudaDevAttrComputeCapabilityMinor, device);
  const std::string name = "device " + std::to_string(device);
  if (major * 10 + minor < least_capability) {
    return name + " has compute capability " + std::to_string(major) + "." + std::to_string(minor) + ", and at least 7.5 is needed";
  }
  if (attribute(cudaDevAttrComputeMode, device) == cudaComputeModeProhibited) {
    return name + " is set to prohibit computing (nvidia-smi --compute-mode)";
  }
  if (attribute(cudaDevAttrMemoryPoolsSupported, device) == 0) return name + " has no stream-ordered memory pools";
  return {};
}

}  // namespace

AvailableDevices available_devices(const std::vector<int>& wanted) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {
    cudaGetLastError();
    return {{}, no_devices(error)};
  }
  if (count == 0) return {{}, no_devices(cudaErrorNoDevice)};
  AvailableDevices devices;
  const auto use = [&](int id) {
    const bool again = std::find(devices.ids.begin(), devices.ids.end(), id) != devices.ids.end();
    const std::string why = objection(id);
    if (!why.empty()) devices.reason += (devices.reason.empty() ? "" : ", ") + why;
    if (why.empty() && !again) devices.ids.push_back(id);
    return why.empty();
  };
  if (wanted.empty()) {
    for (int id = 0; id < count; ++id) use(id);
  }
  for (const int id : wanted) {
    if (id < 0 || id >= count) {
      return {{},
              "device " + std::to_string(id) + " was asked for, and there are those from 0 to " + std::to_string(count - 1) +
                  "; choose among them, or ask for 'cpu' or 'auto'"};
    }
    if (!use(id)) return {{}, devices.reason + "; choose another device, or ask for 'cpu' or 'auto'"};
  }
  if (devices.ids.empty())
    devices.reason += "; use another card, or ask for 'cpu' or 'auto'";
  else
    devices.reason.clear();
  return devices;
}

Availability backend_availability() {
  const AvailableDevices devices = available_devices({});
  if (devices.ids.empty()) return {false, devices.reason};
  return {true, std::to_string(devices.ids.size()) + (devices.ids.size() == 1 ? " device" : " devices")};
}

}  // namespace tuile::compute::cuda
