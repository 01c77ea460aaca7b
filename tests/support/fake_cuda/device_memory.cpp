#include "support/fake_cuda/device_memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <new>
#include <sstream>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace fake_cuda {

namespace {

constexpr int poison = 0xcd;

std::size_t page_size() {
  static const std::size_t bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

#if defined(__SANITIZE_ADDRESS__)
void protect(void* data, const Allocation& allocation, bool touched) {
  if (touched) {
    ASAN_UNPOISON_MEMORY_REGION(data, allocation.bytes);
  } else {
    ASAN_POISON_MEMORY_REGION(data, allocation.bytes);
  }
}
#else
void protect(void*, const Allocation& allocation, bool touched) {
  mprotect(allocation.mapped, allocation.mapped_bytes - page_size(), touched ? PROT_READ | PROT_WRITE : PROT_NONE);
}
#endif

/// Whether memory of this process lies there.
bool is_mapped(std::uintptr_t address) {
  unsigned char resident = 0;
  return mincore(reinterpret_cast<void*>(address / page_size() * page_size()), page_size(), &resident) == 0;
}

}  // namespace

#if defined(__SANITIZE_ADDRESS__)
// The sanitizer's own heap has a fence on both sides and remembers what was freed.
void* new_device_memory(Allocation& allocation) {
  void* data = ::operator new (allocation.bytes, std::align_val_t{device_alignment}, std::nothrow);
  if (data == nullptr) return nullptr;
  std::memset(data, poison, allocation.bytes);
  if (state().machine.separate_memory && !state().device_memory_open) protect(data, allocation, false);
  return data;
}
void delete_device_memory(void* data, const Allocation& allocation) {
  protect(data, allocation, true);
  ::operator delete (data, std::align_val_t{device_alignment});
}
#else
void* new_device_memory(Allocation& allocation) {
  const std::size_t pages = (allocation.bytes + page_size() - 1) / page_size();
  allocation.mapped_bytes = (pages + 1) * page_size();
  allocation.mapped = mmap(nullptr, allocation.mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (allocation.mapped == MAP_FAILED) return nullptr;
  auto* first = static_cast<std::byte*>(allocation.mapped);
  mprotect(first + pages * page_size(), page_size(), PROT_NONE);
  std::byte* data = first + pages * page_size() - allocation.bytes;
  std::memset(data, poison, allocation.bytes);
  if (state().machine.separate_memory && !state().device_memory_open) protect(data, allocation, false);
  return data;
}
void delete_device_memory(void*, const Allocation& allocation) { munmap(allocation.mapped, allocation.mapped_bytes); }
#endif

void let_device_memory_be_touched(bool touched) {
  State& all = state();
  if (all.device_memory_open == touched || !all.machine.separate_memory) return;
  all.device_memory_open = touched;
  for (const auto& [address, allocation] : all.allocations) {
    if (allocation.device >= 0) protect(reinterpret_cast<void*>(address), allocation, touched);
  }
}

void check_parameters(std::span<const Parameter> parameters) {
  if (!state().machine.separate_memory) return;
#ifdef __SANITIZE_ADDRESS__
  return;  // its shadow and heap lie where small numbers and padding look like addresses
#endif
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    for (std::size_t at = 0; at + sizeof(std::uintptr_t) <= parameters[p].bytes; at += sizeof(std::uintptr_t)) {
      std::uintptr_t word = 0;
      std::memcpy(&word, static_cast<const std::byte*>(parameters[p].data) + at, sizeof(word));
      // Numbers are smaller, user space ends below.
      if (word < std::uintptr_t{1} << 32 || word >= std::uintptr_t{1} << 47) continue;
      if (state().find(reinterpret_cast<const void*>(word), 1) != nullptr || !is_mapped(word)) continue;
      // One past the end of an array may be the first of something else.
      if (state().find(reinterpret_cast<const void*>(word - 1), 1) != nullptr) continue;
      std::ostringstream text;
      text << "a kernel's parameter " << p << " holds, " << at << " bytes from its beginning, the address 0x" << std::hex << word
           << " of memory that is the host's";
      fault(text.str());
    }
  }
}

}  // namespace fake_cuda
