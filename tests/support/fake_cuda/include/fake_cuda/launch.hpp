#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <utility>

#include "fake_cuda/runtime_api.hpp"

struct cudaLaunchAttribute {
  int id;
};
struct cudaLaunchConfig_t {
  dim3 gridDim;
  dim3 blockDim;
  std::size_t dynamicSmemBytes;
  cudaStream_t stream;
  cudaLaunchAttribute* attrs;
  unsigned numAttrs;
};

struct cudaFuncAttributes {
  std::size_t sharedSizeBytes, constSizeBytes, localSizeBytes;
  int maxThreadsPerBlock, numRegs, ptxVersion, binaryVersion, maxDynamicSharedSizeBytes;
};

namespace fake_cuda {

/// Where the value of a kernel's parameter lies.
struct Parameter {
  const void* data;
  std::size_t bytes;
};
/// Puts a launch on its stream; `thread` is what each thread runs.
cudaError_t launch(const cudaLaunchConfig_t& config, std::span<const Parameter> parameters, std::function<void()> thread);
/// Puts other work of the device on a stream: what CUB does.
cudaError_t enqueue(const char* name, cudaStream_t stream, std::function<void()> work);
cudaError_t function_attributes(cudaFuncAttributes* attributes);
cudaError_t occupancy(int* blocks, int block_size, std::size_t dynamic_shared_memory);

}  // namespace fake_cuda

/// Arguments become the kernel's parameter types at the call, as on the card.
template <class... Expected, class... Actual>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Expected...), Actual&&... arguments) {
  const auto with_parameters = [&](Expected... values) {
    const fake_cuda::Parameter parameters[] = {{&values, sizeof(values)}..., {nullptr, 0}};
    return fake_cuda::launch(*config, parameters, [kernel, values...] { kernel(values...); });
  };
  return with_parameters(std::forward<Actual>(arguments)...);
}

template <class Kernel>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, Kernel*) {
  return fake_cuda::function_attributes(attributes);
}

template <class Kernel>
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Kernel, int block_size, std::size_t dynamic_shared_memory) {
  return fake_cuda::occupancy(blocks, block_size, dynamic_shared_memory);
}
