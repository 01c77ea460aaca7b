// Devices, errors and launches.

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "fake_cuda/launch.hpp"
#include "support/fake_cuda/emulator.hpp"
#include "support/fake_cuda/state.hpp"

using namespace fake_cuda;

namespace {

constexpr int multiprocessors = 40, registers = 65536, threads_of_multiprocessor = 2048;
constexpr std::size_t static_shared_memory = 48 << 10;

bool exists(int device) { return device >= 0 && static_cast<std::size_t>(device) < state().devices.size(); }

// Of the driver: whether a device has its primary context.
int context_state(int device, unsigned* flags, int* active) {
  const Lock lock(mutex());
  if (!exists(device)) return cudaErrorInvalidDevice;
  *flags = 0;
  *active = state().devices[static_cast<std::size_t>(device)]->has_context ? 1 : 0;
  return cudaSuccess;
}

// Runs on the stream what the device does, and kills the device where it is told to.
cudaError_t put_kernel(Call& call, cudaStream_t handle, std::function<void(Device&)> work) {
  const auto stream = call.stream(handle);
  if (stream == nullptr) return call.error();
  if (stream->device->id != current_device()) return call.result(cudaErrorInvalidResourceHandle);
  Device* device = stream->device;
  put(call.lock(), *stream, [device, work = std::move(work)](Lock&) {
    ++state().counters.kernels;
    if (++device->kernels == device->dies_at_kernel) {
      device->lost = device->dies_of;
      return;
    }
    let_device_memory_be_touched(true);
    work(*device);
  });
  return call.result(cudaSuccess);
}

}  // namespace

namespace fake_cuda {

cudaError_t launch(const cudaLaunchConfig_t& config, std::span<const Parameter> parameters, std::function<void()> thread) {
  Call call("cudaLaunchKernelEx");
  if (call.fails()) return call.error();
  check_parameters(parameters);
  const dim3 grid = config.gridDim, block = config.blockDim;
  const std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
  if (threads == 0 || threads > 1024 || block.z > 64 || grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 0x7fffffffu ||
      grid.y > 65535 || grid.z > 65535) {
    return call.result(cudaErrorInvalidConfiguration);
  }
  if (config.dynamicSmemBytes > 0 || config.numAttrs > 0) return call.result(cudaErrorInvalidValue);  // the fake has neither
  return put_kernel(call, config.stream,
                    [grid, block, thread = std::move(thread)](Device& device) { run_grid(grid, block, thread, device.kernels % 2 == 0); });
}

cudaError_t enqueue(const char* name, cudaStream_t stream, std::function<void()> work) {
  Call call(name);
  if (call.fails()) return call.error();
  return put_kernel(call, stream, [work = std::move(work)](Device&) { work(); });
}

cudaError_t function_attributes(cudaFuncAttributes* attributes) {
  Call call("cudaFuncGetAttributes");
  if (call.fails()) return call.error();
  *attributes = {};
  attributes->maxThreadsPerBlock = 1024;
  attributes->numRegs = 64;
  attributes->ptxVersion = attributes->binaryVersion = 75;
  attributes->maxDynamicSharedSizeBytes = static_cast<int>(static_shared_memory);
  return cudaSuccess;
}

cudaError_t occupancy(int* blocks, int block_size, std::size_t dynamic_shared_memory) {
  Call call("cudaOccupancyMaxActiveBlocksPerMultiprocessor");
  if (call.fails()) return call.error();
  if (block_size <= 0 || block_size > 1024 || dynamic_shared_memory > static_shared_memory) return call.result(cudaErrorInvalidValue);
  *blocks = std::min(threads_of_multiprocessor / 2 / block_size, 16);
  return cudaSuccess;
}

}  // namespace fake_cuda

extern "C" {

const char* cudaGetErrorString(cudaError_t error) {
#define FAKE_CUDA_TEXT(name, number, text) \
  case name: return text;
  switch (error) { FAKE_CUDA_ERRORS(FAKE_CUDA_TEXT) }
#undef FAKE_CUDA_TEXT
  return "unrecognized error code";
}

const char* cudaGetErrorName(cudaError_t error) {
#define FAKE_CUDA_NAME(name, number, text) \
  case name: return #name;
  switch (error) { FAKE_CUDA_ERRORS(FAKE_CUDA_NAME) }
#undef FAKE_CUDA_NAME
  return "unrecognized error code";
}

cudaError_t cudaPeekAtLastError() {
  const Lock lock(mutex());
  const State& all = state();
  const auto device = static_cast<std::size_t>(current_device());
  if (device < all.devices.size() && all.devices[device]->lost != cudaSuccess) return all.devices[device]->lost;
  return last_error();
}

cudaError_t cudaGetLastError() {
  const cudaError_t error = cudaPeekAtLastError();
  const Lock lock(mutex());
  last_error() = cudaSuccess;
  return error;
}

cudaError_t cudaGetDeviceCount(int* count) {
  Call call("cudaGetDeviceCount", Call::Needs::nothing);
  *count = call.fails() ? 0 : static_cast<int>(state().devices.size());
  return call.error();
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  Call call("cudaGetDeviceProperties", Call::Needs::nothing);
  if (call.fails()) return call.error();
  if (!exists(device)) return call.result(cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof(properties->name), "Fake card %d", device);
  std::memset(properties->uuid.bytes, 0xf0 + device, sizeof(properties->uuid.bytes));
  properties->totalGlobalMem = state().machine.memory;
  properties->sharedMemPerBlock = static_shared_memory;
  properties->sharedMemPerMultiprocessor = 2 * static_shared_memory;
  properties->regsPerBlock = properties->regsPerMultiprocessor = registers;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = 1024;
  properties->maxThreadsDim[0] = properties->maxThreadsDim[1] = 1024;
  properties->maxThreadsDim[2] = 64;
  properties->maxGridSize[0] = 0x7fffffff;
  properties->maxGridSize[1] = properties->maxGridSize[2] = 65535;
  properties->major = 7;
  properties->minor = 5;
  properties->multiProcessorCount = multiprocessors;
  properties->maxThreadsPerMultiProcessor = threads_of_multiprocessor;
  properties->maxBlocksPerMultiProcessor = 16;
  properties->canMapHostMemory = properties->unifiedAddressing = properties->concurrentKernels = properties->memoryPoolsSupported = 1;
  properties->asyncEngineCount = 2;
  properties->pciBusID = device + 1;
  properties->memoryBusWidth = 256;
  properties->l2CacheSize = 4 << 20;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  Call call("cudaDeviceGetAttribute", Call::Needs::nothing);
  if (call.fails()) return call.error();
  if (!exists(device)) return call.result(cudaErrorInvalidDevice);
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock: *value = 1024; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = static_cast<int>(static_shared_memory); break;
    case cudaDevAttrWarpSize: *value = 32; break;
    case cudaDevAttrMaxRegistersPerBlock:
    case cudaDevAttrMaxRegistersPerMultiprocessor: *value = registers; break;
    case cudaDevAttrClockRate: *value = 1'500'000; break;
    case cudaDevAttrMemoryClockRate: *value = 5'000'000; break;
    case cudaDevAttrMultiProcessorCount: *value = multiprocessors; break;
    case cudaDevAttrConcurrentKernels:
    case cudaDevAttrUnifiedAddressing:
    case cudaDevAttrHostRegisterSupported:
    case cudaDevAttrMemoryPoolsSupported: *value = 1; break;
    case cudaDevAttrPciBusId: *value = device + 1; break;
    case cudaDevAttrGlobalMemoryBusWidth: *value = 256; break;
    case cudaDevAttrL2CacheSize: *value = 4 << 20; break;
    case cudaDevAttrMaxThreadsPerMultiProcessor: *value = threads_of_multiprocessor; break;
    case cudaDevAttrAsyncEngineCount: *value = 2; break;
    case cudaDevAttrComputeCapabilityMajor: *value = 7; break;
    case cudaDevAttrComputeCapabilityMinor: *value = 5; break;
    case cudaDevAttrMaxBlocksPerMultiprocessor: *value = 16; break;
    case cudaDevAttrIntegrated:
    case cudaDevAttrComputeMode:
    case cudaDevAttrPciDeviceId:
    case cudaDevAttrPciDomainId:
    case cudaDevAttrPageableMemoryAccess:
    case cudaDevAttrConcurrentManagedAccess: *value = 0; break;
    default: return call.result(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
  Call call("cudaDeviceGetPCIBusId", Call::Needs::nothing);
  if (call.fails()) return call.error();
  if (!exists(device)) return call.result(cudaErrorInvalidDevice);
  if (length < 13) return call.result(cudaErrorInvalidValue);
  std::snprintf(text, static_cast<std::size_t>(length), "0000:%02X:00.0", static_cast<unsigned>(device + 1) & 0xffu);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  Call call("cudaDeviceGetStreamPriorityRange");
  if (least != nullptr) *least = 0;
  if (greatest != nullptr) *greatest = -5;
  return call.error();
}

cudaError_t cudaDriverGetVersion(int* version) {
  const Lock lock(mutex());
  *version = state().machine.driver ? 13000 : 0;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  Call call("cudaSetDevice", Call::Needs::nothing);
  if (call.fails()) return call.error();
  if (!exists(device)) return call.result(cudaErrorInvalidDevice);
  set_current_device(device);
  state().devices[static_cast<std::size_t>(device)]->has_context = true;
  return cudaSuccess;
}

cudaError_t cudaGetDriverEntryPointByVersion(const char* symbol, void** function, unsigned, unsigned long long,
                                             cudaDriverEntryPointQueryResult* result) {
  Call call("cudaGetDriverEntryPointByVersion", Call::Needs::nothing);
  if (call.fails()) return call.error();
  const bool known = std::strcmp(symbol, "cuDevicePrimaryCtxGetState") == 0;
  *function = known ? reinterpret_cast<void*>(&context_state) : nullptr;
  if (result != nullptr) *result = known ? cudaDriverEntryPointSuccess : cudaDriverEntryPointSymbolNotFound;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  Call call("cudaGetDevice", Call::Needs::nothing);
  if (call.fails()) return call.error();
  *device = current_device();
  return cudaSuccess;
}

cudaError_t cudaSetDeviceFlags(unsigned) {
  Call call("cudaSetDeviceFlags");
  return call.error();
}

cudaError_t cudaInitDevice(int device, unsigned, unsigned) {
  Call call("cudaInitDevice", Call::Needs::nothing);
  if (call.fails()) return call.error();
  return call.result(exists(device) ? state().devices[static_cast<std::size_t>(device)]->lost : cudaErrorInvalidDevice);
}

cudaError_t cudaDeviceSynchronize() {
  Call call("cudaDeviceSynchronize");
  if (call.fails()) return call.error();
  ++state().counters.device_synchronisations;
  Device& device = call.device();
  drain_device(call.lock(), device);
  return call.result(device.lost);
}
}
