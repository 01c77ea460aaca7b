#include "compute/cuda/device_memory.hpp"

#include <algorithm>
#include <limits>

#include "compute/cuda/cuda_error.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::compute::cuda {

DeviceLease::~DeviceLease() {
  if (memory_ != nullptr) memory_->give_back(data_, bytes_, stream_);
}

DeviceMemory::DeviceMemory(int device) {
  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.handleTypes = cudaMemHandleTypeNone;
  properties.location.type = cudaMemLocationTypeDevice;
  properties.location.id = device;
  check(cudaMemPoolCreate(&pool_, &properties), "making a memory pool");
  // What is kept is given back on demand (trim), not whenever a stream is waited for: taking it from the device anew costs milliseconds.
  std::uint64_t threshold = std::numeric_limits<std::uint64_t>::max();
  const cudaError_t error = cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &threshold);
  if (error == cudaSuccess) return;
  cudaMemPoolDestroy(pool_);
  throw_cuda_error(error, "setting the release threshold of a memory pool");
}

DeviceMemory::~DeviceMemory() {
  cudaMemPoolDestroy(pool_);
  cudaGetLastError();
}

std::uint64_t DeviceMemory::attribute(cudaMemPoolAttr which) const {
  std::uint64_t value = 0;
  check(cudaMemPoolGetAttribute(pool_, which, &value), "asking a memory pool for its size");
  return value;
}

DeviceLease DeviceMemory::lease(std::size_t bytes, cudaStream_t stream) {
  if (bytes == 0) return {};
  const MutexLock lock(mutex_);
  std::uint64_t reserved = attribute(cudaMemPoolAttrReservedMemCurrent);
  void* data = nullptr;
  cudaError_t error = cudaMallocFromPoolAsync(&data, bytes, pool_, stream);
  if (error == cudaErrorMemoryAllocation) {
    // What is kept may be in pieces too small.
    cudaGetLastError();
    trim();
    ++statistics_.trims;
    reserved = attribute(cudaMemPoolAttrReservedMemCurrent);
    error = cudaMallocFromPoolAsync(&data, bytes, pool_, stream);
  }
  if (error != cudaSuccess) throw_cuda_error(error, ("leasing " + std::to_string(bytes) + " bytes").c_str());
  DeviceLease lease(this, data, bytes, stream);
  ++statistics_.allocations;
  statistics_.in_use += bytes;
  statistics_.peak = std::max(statistics_.peak, statistics_.in_use);
  std::uint64_t now = 0;  // nothing may be thrown here: the lease would give back under our lock
  if (cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrReservedMemCurrent, &now) == cudaSuccess && now <= reserved) ++statistics_.reused;
  return lease;
}

void DeviceMemory::trim() noexcept {
  cudaMemPoolTrimTo(pool_, 0);
  cudaGetLastError();
}

std::uint64_t DeviceMemory::available() const {
  std::size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "asking for the free memory");
  return free + attribute(cudaMemPoolAttrReservedMemCurrent) - attribute(cudaMemPoolAttrUsedMemCurrent);
}

DeviceMemory::Statistics DeviceMemory::statistics() const {
  const MutexLock lock(mutex_);
  return statistics_;
}

void DeviceMemory::give_back(void* data, std::size_t bytes, cudaStream_t stream) noexcept {
  if (cudaFreeAsync(data, stream) != cudaSuccess) {
    cudaFree(data);  // which waits; of a lost device nothing can be freed, the system does that when the process ends
    cudaGetLastError();
  }
  const MutexLock lock(mutex_);
  statistics_.in_use -= bytes;
}

}  // namespace tuile::compute::cuda
