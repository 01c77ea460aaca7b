#include "compute/cuda/pinned_memory.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "compute/cuda/current_device.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::compute::cuda {

PinnedMemory::~PinnedMemory() {
  for (const auto& [size, blocks] : kept_) {
    for (void* const block : blocks) free(block);
  }
}

std::size_t PinnedMemory::block_size(std::size_t bytes) noexcept {
  if (bytes < least || bytes > std::numeric_limits<std::size_t>::max() / 2) return 0;
  const std::size_t step = std::max<std::size_t>(std::bit_ceil(bytes) / 16, 4096);
  return (bytes + step - 1) / step * step;
}

void* PinnedMemory::allocate(std::size_t bytes) noexcept {
  const std::size_t size = block_size(bytes);
  if (size == 0) return nullptr;
  std::vector<void*> surplus;
  bool fits = false;
  try {
    const MutexLock lock(mutex_);
    if (void* const block = reuse(size)) return block;
    fits = make_room(size, surplus);
    if (fits) statistics_.in_use += size;  // pages are locked without the mutex: it takes milliseconds
  } catch (const std::bad_alloc&) {
    fits = false;
  }
  for (void* const block : surplus) free(block);
  void* block = fits ? lock_pages(size) : nullptr;
  const MutexLock lock(mutex_);
  if (block != nullptr && !remember(block, size)) {
    free(block);
    block = nullptr;
  }
  if (block == nullptr) {
    if (fits) statistics_.in_use -= size;
    ++statistics_.refused;
    return nullptr;
  }
  ++statistics_.allocations;
  statistics_.peak = std::max(statistics_.peak, statistics_.in_use + statistics_.kept);
  return block;
}

bool PinnedMemory::remember(void* block, std::size_t size) noexcept {
  try {
    in_use_.emplace(block, size);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void PinnedMemory::release(void* data, std::size_t) noexcept {
  bool kept = false;
  try {
    const MutexLock lock(mutex_);
    const auto entry = in_use_.find(data);
    const std::size_t size = entry->second;
    in_use_.erase(entry);
    statistics_.in_use -= size;
    if (statistics_.kept + size <= limits_.kept) {
      std::vector<void*>& blocks = kept_[size];
      try {
        blocks.push_back(data);
      } catch (const std::bad_alloc&) {
        if (blocks.empty()) kept_.erase(size);  // whoever looks for a block expects one
        throw;
      }
      statistics_.kept += size;
      kept = true;
    }
  } catch (const std::bad_alloc&) {
    kept = false;
  }
  if (!kept) free(data);
}

PinnedMemory::Statistics PinnedMemory::statistics() const {
  const MutexLock lock(mutex_);
  return statistics_;
}

void* PinnedMemory::reuse(std::size_t size) {
  const auto blocks = kept_.lower_bound(size);
  if (blocks == kept_.end() || blocks->first / 2 > size) return nullptr;
  void* const block = blocks->second.back();
  const std::size_t whole = blocks->first;
  in_use_.emplace(block, whole);
  take_from_kept(blocks);
  statistics_.in_use += whole;
  ++statistics_.allocations;
  ++statistics_.reused;
  return block;
}

void PinnedMemory::take_from_kept(std::map<std::size_t, std::vector<void*>>::iterator blocks) {
  blocks->second.pop_back();
  statistics_.kept -= blocks->first;
  if (blocks->second.empty()) kept_.erase(blocks);
}

bool PinnedMemory::make_room(std::size_t size, std::vector<void*>& surplus) {
  if (size > limits_.most || statistics_.in_use > limits_.most - size) return false;
  // The largest first: fewest to free, and each stops the devices for a moment.
  while (statistics_.in_use + statistics_.kept + size > limits_.most) {
    const auto largest = std::prev(kept_.end());
    surplus.push_back(largest->second.back());
    take_from_kept(largest);
  }
  return true;
}

void* PinnedMemory::lock_pages(std::size_t size) const noexcept {
  for (const int device : devices_) {
    const CurrentDevice current(device);
    void* block = nullptr;
    if (cudaHostAlloc(&block, size, cudaHostAllocPortable) == cudaSuccess) return block;
    cudaGetLastError();
  }
  return nullptr;
}

void PinnedMemory::free(void* block) const noexcept {
  for (const int device : devices_) {
    const CurrentDevice current(device);
    if (cudaFreeHost(block) == cudaSuccess) return;
    cudaGetLastError();
  }
}

}  // namespace tuile::compute::cuda
