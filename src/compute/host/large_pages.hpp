#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

namespace tuile::compute {

/// For memory that is about to be filled: one page fault in place of 512, and walks that miss fewer translations. Only a wish.
inline void prefer_large_pages(void* data, std::size_t bytes) noexcept {
  constexpr std::size_t page = 4096, large = std::size_t{2} << 20;
  if (bytes < 2 * large) return;
  const std::size_t skipped = (page - reinterpret_cast<std::uintptr_t>(data) % page) % page;
  madvise(static_cast<std::byte*>(data) + skipped, (bytes - skipped) / page * page, MADV_HUGEPAGE);
}

}  // namespace tuile::compute
