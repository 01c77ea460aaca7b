#include "compute/cuda/cuda_error.hpp"

namespace tuile::compute::cuda {

namespace {

/// "CUDA device 1 (NVIDIA H100 80GB HBM3)", as far as it can be found out of a device that may be lost.
std::string current_device() {
  int id = 0;
  if (cudaGetDevice(&id) != cudaSuccess) return "CUDA device";
  cudaDeviceProp properties;
  const bool known = cudaGetDeviceProperties(&properties, id) == cudaSuccess;
  return "CUDA device " + std::to_string(id) + (known ? std::string(" (") + properties.name + ")" : "");
}

}  // namespace

bool is_sticky(cudaError_t error) noexcept {
  switch (error) {
    case cudaErrorCudartUnloading:
    case cudaErrorDevicesUnavailable:
    case cudaErrorDeviceUninitialized:
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorContextIsDestroyed:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorSystemNotReady:
    case cudaErrorExternalDevice:
    case cudaErrorUnknown: return true;
    default: break;
  }
  // By number, as not every version of CUDA 12 has all names: cudaErrorContained, cudaErrorTensorMemoryLeak, those of a lost MPS server,
  // and 909.
  const int number = static_cast<int>(error);
  return number == 226 || number == 721 || (number >= 805 && number <= 810) || number == 909;
}

std::string describe(cudaError_t error) { return std::string(cudaGetErrorName(error)) + " (" + cudaGetErrorString(error) + ")"; }

void throw_cuda_error(cudaError_t error, const char* what) {
  const std::string message = current_device() + ": " + what + " failed: " + describe(error);
  // Errors that are not sticky would else be reported by whoever asks next.
  cudaGetLastError();
  if (error == cudaErrorMemoryAllocation) {
    throw DeviceOutOfMemory(message + "; end other programs that use the device, or ask for the backend 'cpu'");
  }
  if (is_sticky(error)) {
    throw DeviceLost(message +
                     "; the device cannot be used any more by this process: look at the system's log (dmesg, nvidia-smi -q), start again");
  }
  throw DeviceError(message + "; if it comes again, ask for the backend 'cpu' and report it");
}

}  // namespace tuile::compute::cuda
