#include "compute/cuda/current_device.hpp"

#include <cuda_runtime.h>

namespace tuile::compute::cuda {

namespace {

/// cuDevicePrimaryCtxGetState of the driver, which is not linked.
using ContextState = int (*)(int device, unsigned* flags, int* active);

ContextState find_context_state() noexcept {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult result = cudaDriverEntryPointSymbolNotFound;
#if CUDART_VERSION >= 12050
  const cudaError_t error = cudaGetDriverEntryPointByVersion("cuDevicePrimaryCtxGetState", &function, 12000, cudaEnableDefault, &result);
#else
  const cudaError_t error = cudaGetDriverEntryPoint("cuDevicePrimaryCtxGetState", &function, cudaEnableDefault, &result);
#endif
  const bool found = error == cudaSuccess && result == cudaDriverEntryPointSuccess;
  return found ? reinterpret_cast<ContextState>(function) : nullptr;
}

bool has_context(int device) noexcept {
  static const ContextState context_state = find_context_state();
  unsigned flags = 0;
  int active = 0;
  return context_state != nullptr && context_state(device, &flags, &active) == 0 && active != 0;
}

}  // namespace

CurrentDevice::CurrentDevice(int device) noexcept {
  int before = none;
  if (cudaGetDevice(&before) != cudaSuccess) before = none;
  if (before != device) {
    if (before != none && has_context(before)) before_ = before;
    cudaSetDevice(device);
  }
  cudaGetLastError();  // what is wrong shows again where the device is needed; left here, libraries would take it for their own
}

CurrentDevice::~CurrentDevice() {
  if (before_ != none) cudaSetDevice(before_);
  cudaGetLastError();
}

}  // namespace tuile::compute::cuda
