// Memory, its pools, and copies.

#include <algorithm>
#include <cstring>
#include <iterator>
#include <new>

#include "support/fake_cuda/device_memory.hpp"
#include "support/fake_cuda/state.hpp"

using namespace fake_cuda;

namespace {

constexpr std::align_val_t page_locked_alignment{4096};
constexpr int poison = 0xcd;

void* new_page_locked(std::size_t bytes) {
  void* data = ::operator new(bytes, page_locked_alignment, std::nothrow);
  if (data != nullptr) std::memset(data, poison, bytes);
  return data;
}

void remove(std::map<std::uintptr_t, Allocation>::iterator entry) {
  const Allocation allocation = entry->second;
  void* data = reinterpret_cast<void*>(entry->first);
  state().allocations.erase(entry);
  if (allocation.device >= 0) {
    delete_device_memory(data, allocation);
  } else if (!allocation.registered) {
    std::memset(data, poison, allocation.bytes);
    ::operator delete(data, page_locked_alignment);
  }
  if (allocation.pool != nullptr) {
    allocation.pool->used -= allocation.bytes;
  } else if (allocation.device >= 0) {
    state().devices[static_cast<std::size_t>(allocation.device)]->used -= allocation.bytes;
  }
}

std::map<std::uintptr_t, Allocation>::iterator entry_of(void* data) {
  return state().allocations.find(reinterpret_cast<std::uintptr_t>(data));
}

std::size_t rounded(std::size_t bytes) { return (bytes + device_alignment - 1) / device_alignment * device_alignment; }

std::uint64_t free_memory(int device) {
  return state().machine.memory - state().devices[static_cast<std::size_t>(device)]->used - state().reserved(device);
}

cudaError_t keep(void** data, std::size_t bytes, int device, cudaMemPool_t pool) {
  Allocation allocation{bytes, device, pool};
  *data = new_device_memory(allocation);
  if (*data == nullptr) return cudaErrorMemoryAllocation;
  state().allocations.emplace(reinterpret_cast<std::uintptr_t>(*data), allocation);
  return cudaSuccess;
}

cudaError_t host_alloc(Call& call, void** data, std::size_t bytes) {
  if (call.fails()) return call.error();
  *data = nullptr;
  if (bytes == 0) return cudaSuccess;
  if (state().machine.pinned_memory) *data = new_page_locked(bytes);
  if (*data == nullptr) return call.result(cudaErrorMemoryAllocation);
  state().allocations.emplace(reinterpret_cast<std::uintptr_t>(*data), Allocation{bytes});
  return cudaSuccess;
}

void drain_everything(Lock& lock) {
  ++state().counters.implicit_synchronisations;
  for (const auto& device : state().devices) drain_device(lock, *device);
}

// Where the bytes of one end of a copy lie.
enum class Place { device, pinned, pageable };
Place place_of(const void* data, std::size_t bytes) {
  const Allocation* allocation = state().find(data, bytes);
  return allocation == nullptr ? Place::pageable : allocation->device < 0 ? Place::pinned : Place::device;
}

struct Copy {
  std::byte* to;
  std::size_t to_pitch;
  const std::byte* from;
  std::size_t from_pitch, width, height;
  cudaMemcpyKind kind;

  std::size_t to_bytes() const { return to_pitch * (height - 1) + width; }
  std::size_t from_bytes() const { return from_pitch * (height - 1) + width; }
};

void check_end(const void* data, std::size_t bytes, bool device) {
  const Place place = place_of(data, bytes);
  if (device && place != Place::device)
    fault("a copy of " + std::to_string(bytes) + " bytes whose device side is not, or not wholly, allocated device memory");
  if (!device && place == Place::device) fault("a copy whose host side is device memory");
}

void run_copy(const Copy& copy, Place from_place, Place to_place) {
  const bool up = to_place == Place::device && from_place != Place::device, down = from_place == Place::device && to_place != Place::device;
  check_end(copy.to, copy.to_bytes(), to_place == Place::device);
  check_end(copy.from, copy.from_bytes(), from_place == Place::device);
  if ((from_place == Place::pinned && place_of(copy.from, copy.from_bytes()) != Place::pinned) ||
      (to_place == Place::pinned && place_of(copy.to, copy.to_bytes()) != Place::pinned)) {
    fault("a copy whose page-locked memory was freed before it ran");
  }
  let_device_memory_be_touched(true);
  for (std::size_t row = 0; row < copy.height; ++row) {
    std::memmove(copy.to + row * copy.to_pitch, copy.from + row * copy.from_pitch, copy.width);
  }
  if (up) state().counters.bytes_up += copy.width * copy.height;
  if (down) state().counters.bytes_down += copy.width * copy.height;
}

// synchronous: the call returns when the bytes are there.
cudaError_t put_copy(Call& call, Copy copy, cudaStream_t handle, bool synchronous) {
  if (call.fails()) return call.error();
  const auto stream = call.stream(handle);
  if (stream == nullptr) return call.error();
  if (copy.kind < cudaMemcpyHostToHost || copy.kind > cudaMemcpyDefault) return call.result(cudaErrorInvalidMemcpyDirection);
  if (copy.width == 0 || copy.height == 0) return cudaSuccess;
  if (copy.to == nullptr || copy.from == nullptr || copy.width > copy.to_pitch || copy.width > copy.from_pitch) {
    return call.result(cudaErrorInvalidValue);
  }
  const bool known = copy.kind != cudaMemcpyDefault;
  const Place from = place_of(copy.from, copy.from_bytes()), to = place_of(copy.to, copy.to_bytes());
  if (known) {
    check_end(copy.from, copy.from_bytes(), copy.kind == cudaMemcpyDeviceToHost || copy.kind == cudaMemcpyDeviceToDevice);
    check_end(copy.to, copy.to_bytes(), copy.kind == cudaMemcpyHostToDevice || copy.kind == cudaMemcpyDeviceToDevice);
  }
  if (!synchronous && from == Place::pageable && to != Place::pageable) {
    // As the real one may, through a staging buffer: what the caller writes there afterwards is not seen.
    auto staged = std::make_shared<std::vector<std::byte>>(copy.from, copy.from + copy.from_bytes());
    put(call.lock(), *stream, [copy, staged, to](Lock&) mutable {
      copy.from = staged->data();
      run_copy(copy, Place::pageable, to);
    });
    return cudaSuccess;
  }
  const std::uint64_t number = put(call.lock(), *stream, [copy, from, to](Lock&) { run_copy(copy, from, to); });
  if (synchronous || from == Place::pageable || to == Place::pageable) drain(call.lock(), *stream, number);
  return call.result(stream->device->lost);
}

cudaError_t put_memset(Call& call, void* data, int value, std::size_t bytes, cudaStream_t handle) {
  if (call.fails()) return call.error();
  const auto stream = call.stream(handle);
  if (stream == nullptr) return call.error();
  if (bytes == 0) return cudaSuccess;
  if (place_of(data, bytes) != Place::device)
    fault("memset of " + std::to_string(bytes) + " bytes that are not, or not wholly, allocated device memory");
  put(call.lock(), *stream, [=](Lock&) {
    if (place_of(data, bytes) != Place::device) fault("memset of memory that was freed before it ran");
    let_device_memory_be_touched(true);
    std::memset(data, value, bytes);
  });
  return cudaSuccess;
}

cudaError_t pool_alloc(Call& call, void** data, std::size_t bytes, cudaMemPool_t pool, cudaStream_t handle) {
  if (call.fails()) return call.error();
  const auto stream = call.stream(handle);
  if (stream == nullptr) return call.error();
  if (bytes == 0 || (pool != nullptr && !state().pools.contains(pool))) return call.result(cudaErrorInvalidValue);
  if (pool == nullptr) pool = stream->device->default_pool;
  if (pool->device != stream->device->id) return call.result(cudaErrorInvalidValue);
  bytes = rounded(bytes);
  const auto fits = [&] { return pool->used + bytes <= pool->reserved + free_memory(pool->device); };
  // Memory whose release stands on a stream is had by waiting for it, as the driver does.
  for (const auto& other : std::vector(stream->device->streams)) {
    if (other->pool_frees > 0 && (!fits() || other == stream)) drain(call.lock(), *other);
  }
  if (!fits()) return call.result(cudaErrorMemoryAllocation);
  const cudaError_t error = keep(data, bytes, pool->device, pool);
  if (error != cudaSuccess) return call.result(error);
  pool->used += bytes;
  pool->reserved = std::max(pool->reserved, pool->used);
  pool->used_high = std::max(pool->used_high, pool->used);
  pool->reserved_high = std::max(pool->reserved_high, pool->reserved);
  ++state().counters.pool_allocations;
  return cudaSuccess;
}

}  // namespace

extern "C" {

cudaError_t cudaMalloc(void** data, std::size_t bytes) {
  Call call("cudaMalloc");
  if (call.fails()) return call.error();
  *data = nullptr;
  if (bytes == 0) return cudaSuccess;
  Device& device = call.device();
  bytes = rounded(bytes);
  if (bytes > free_memory(device.id)) return call.result(cudaErrorMemoryAllocation);
  const cudaError_t error = keep(data, bytes, device.id, nullptr);
  if (error != cudaSuccess) return call.result(error);
  device.used += bytes;
  ++state().counters.device_allocations;
  return cudaSuccess;
}

cudaError_t cudaFree(void* data) {
  Call call("cudaFree");
  if (data == nullptr) return call.error();
  const auto entry = entry_of(data);
  if (entry == state().allocations.end() || entry->second.device < 0)
    return call.fails() ? call.error() : call.result(cudaErrorInvalidValue);
  drain_device(call.lock(), *state().devices[static_cast<std::size_t>(entry->second.device)]);
  ++state().counters.implicit_synchronisations;
  remove(entry_of(data));
  return call.error();  // a lost device's memory is gone all the same
}

cudaError_t cudaHostAlloc(void** data, std::size_t bytes, unsigned) {
  Call call("cudaHostAlloc");
  return host_alloc(call, data, bytes);
}

cudaError_t cudaMallocHost(void** data, std::size_t bytes) {
  Call call("cudaMallocHost");
  return host_alloc(call, data, bytes);
}

cudaError_t cudaFreeHost(void* data) {
  Call call("cudaFreeHost");
  if (data == nullptr) return call.error();
  const auto entry = entry_of(data);
  if (entry == state().allocations.end() || entry->second.device >= 0 || entry->second.registered)
    return call.result(cudaErrorInvalidValue);
  drain_everything(call.lock());
  remove(entry_of(data));
  return call.error();
}

cudaError_t cudaHostRegister(void* data, std::size_t bytes, unsigned) {
  Call call("cudaHostRegister");
  if (call.fails()) return call.error();
  if (data == nullptr || bytes == 0) return call.result(cudaErrorInvalidValue);
  if (!state().machine.pinned_memory) return call.result(cudaErrorMemoryAllocation);
  if (state().find(data, 1) != nullptr) return call.result(cudaErrorHostMemoryAlreadyRegistered);
  Allocation allocation{bytes};
  allocation.registered = true;
  state().allocations.emplace(reinterpret_cast<std::uintptr_t>(data), allocation);
  return cudaSuccess;
}

cudaError_t cudaHostUnregister(void* data) {
  Call call("cudaHostUnregister");
  const auto entry = entry_of(data);
  if (entry == state().allocations.end() || !entry->second.registered) return call.result(cudaErrorHostMemoryNotRegistered);
  drain_everything(call.lock());
  remove(entry_of(data));
  return call.error();
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  Call call("cudaMemGetInfo");
  if (call.fails()) return call.error();
  *free = free_memory(current_device());
  *total = state().machine.memory;
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  Call call("cudaPointerGetAttributes");
  if (call.fails()) return call.error();
  const Allocation* allocation = state().find(pointer, 1);
  *attributes = {};
  attributes->device = allocation == nullptr ? -2 : std::max(allocation->device, 0);
  if (allocation != nullptr) attributes->type = allocation->device < 0 ? cudaMemoryTypeHost : cudaMemoryTypeDevice;
  attributes->devicePointer = allocation == nullptr ? nullptr : const_cast<void*>(pointer);
  attributes->hostPointer = allocation != nullptr && allocation->device < 0 ? const_cast<void*>(pointer) : nullptr;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  Call call("cudaDeviceGetDefaultMemPool", Call::Needs::nothing);
  if (call.fails()) return call.error();
  if (device < 0 || static_cast<std::size_t>(device) >= state().devices.size()) return call.result(cudaErrorInvalidDevice);
  *pool = state().devices[static_cast<std::size_t>(device)]->default_pool;
  return cudaSuccess;
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
  Call call("cudaMemPoolCreate");
  if (call.fails()) return call.error();
  const cudaMemLocation& location = properties->location;
  if (properties->allocType != cudaMemAllocationTypePinned || location.type != cudaMemLocationTypeDevice || location.id < 0 ||
      static_cast<std::size_t>(location.id) >= state().devices.size()) {
    return call.result(cudaErrorInvalidValue);
  }
  auto made = std::make_unique<CUmemPoolHandle_st>();
  made->device = location.id;
  *pool = made.get();
  state().pools.emplace(made.get(), std::move(made));
  return cudaSuccess;
}

cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  Call call("cudaMemPoolDestroy");
  if (!state().pools.contains(pool) || pool->is_default) return call.result(cudaErrorInvalidValue);
  drain_device(call.lock(), *state().devices[static_cast<std::size_t>(pool->device)]);
  if (pool->used > 0 && !call.fails())
    fault("a memory pool is destroyed while " + std::to_string(pool->used) + " bytes of it are allocated");
  for (auto entry = state().allocations.begin(); entry != state().allocations.end();) {  // of a lost device
    const auto next = std::next(entry);
    if (entry->second.pool == pool) remove(entry);
    entry = next;
  }
  state().pools.erase(pool);
  return call.error();
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  Call call("cudaMemPoolSetAttribute");
  if (call.fails()) return call.error();
  if (!state().pools.contains(pool)) return call.result(cudaErrorInvalidValue);
  const auto number = [value] { return *static_cast<std::uint64_t*>(value); };
  switch (attribute) {
    case cudaMemPoolReuseFollowEventDependencies:
    case cudaMemPoolReuseAllowOpportunistic:
    case cudaMemPoolReuseAllowInternalDependencies: pool->flags[attribute] = *static_cast<int*>(value); break;
    case cudaMemPoolAttrReleaseThreshold: pool->threshold = number(); break;
    case cudaMemPoolAttrReservedMemHigh:
    case cudaMemPoolAttrUsedMemHigh:
      if (number() != 0) return call.result(cudaErrorInvalidValue);
      if (attribute == cudaMemPoolAttrUsedMemHigh)
        pool->used_high = pool->used;
      else
        pool->reserved_high = pool->reserved;
      break;
    default: return call.result(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  Call call("cudaMemPoolGetAttribute");
  if (call.fails()) return call.error();
  if (!state().pools.contains(pool)) return call.result(cudaErrorInvalidValue);
  auto* number = static_cast<std::uint64_t*>(value);
  switch (attribute) {
    case cudaMemPoolAttrReleaseThreshold: *number = pool->threshold; break;
    case cudaMemPoolAttrReservedMemCurrent: *number = pool->reserved; break;
    case cudaMemPoolAttrReservedMemHigh: *number = pool->reserved_high; break;
    case cudaMemPoolAttrUsedMemCurrent: *number = pool->used; break;
    case cudaMemPoolAttrUsedMemHigh: *number = pool->used_high; break;
    default: *static_cast<int*>(value) = pool->flags.contains(attribute) ? pool->flags[attribute] : 1;
  }
  return cudaSuccess;
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, std::size_t bytes_to_keep) {
  Call call("cudaMemPoolTrimTo");
  if (call.fails()) return call.error();
  if (!state().pools.contains(pool)) return call.result(cudaErrorInvalidValue);
  pool->reserved = std::max<std::uint64_t>(pool->used, std::min<std::uint64_t>(pool->reserved, bytes_to_keep));
  return cudaSuccess;
}

cudaError_t cudaMallocAsync(void** data, std::size_t bytes, cudaStream_t stream) {
  Call call("cudaMallocAsync");
  return pool_alloc(call, data, bytes, nullptr, stream);
}

cudaError_t cudaMallocFromPoolAsync(void** data, std::size_t bytes, cudaMemPool_t pool, cudaStream_t stream) {
  Call call("cudaMallocFromPoolAsync");
  if (!call.fails() && pool == nullptr) return call.result(cudaErrorInvalidValue);
  return pool_alloc(call, data, bytes, pool, stream);
}

cudaError_t cudaFreeAsync(void* data, cudaStream_t handle) {
  Call call("cudaFreeAsync");
  if (data == nullptr) return call.error();
  const auto entry = entry_of(data);
  if (entry == state().allocations.end() || entry->second.device < 0)
    return call.fails() ? call.error() : call.result(cudaErrorInvalidValue);
  const auto stream = call.stream(handle);
  if (call.fails() || stream == nullptr) {
    remove(entry);  // a lost device's memory is gone
    return call.error();
  }
  ++stream->pool_frees;
  CUstream_st* on = stream.get();
  put(
      call.lock(), *stream,
      [data, on](Lock&) {
        --on->pool_frees;
        const auto freed = entry_of(data);
        if (freed == state().allocations.end()) fault("device memory freed twice");
        remove(freed);
      },
      true);
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  Call call("cudaMemcpy");
  return put_copy(call, {static_cast<std::byte*>(to), bytes, static_cast<const std::byte*>(from), bytes, bytes, 1, kind}, nullptr, true);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  Call call("cudaMemcpyAsync");
  return put_copy(call, {static_cast<std::byte*>(to), bytes, static_cast<const std::byte*>(from), bytes, bytes, 1, kind}, stream, false);
}

cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch, std::size_t width,
                              std::size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  Call call("cudaMemcpy2DAsync");
  return put_copy(call, {static_cast<std::byte*>(to), to_pitch, static_cast<const std::byte*>(from), from_pitch, width, height, kind},
                  stream, false);
}

cudaError_t cudaMemset(void* data, int value, std::size_t bytes) {
  Call call("cudaMemset");
  return put_memset(call, data, value, bytes, nullptr);
}

cudaError_t cudaMemsetAsync(void* data, int value, std::size_t bytes, cudaStream_t stream) {
  Call call("cudaMemsetAsync");
  return put_memset(call, data, value, bytes, stream);
}

cudaError_t cudaDeviceReset() {
  Call call("cudaDeviceReset");
  if (state().devices.empty()) return call.error();
  Device& device = call.device();
  drain_device(call.lock(), device);
  std::vector<void*> live;
  for (const auto& [address, allocation] : state().allocations) {
    if (allocation.device == device.id) live.push_back(reinterpret_cast<void*>(address));
  }
  for (void* data : live) remove(entry_of(data));
  device.lost = cudaSuccess;
  return cudaSuccess;
}
}
