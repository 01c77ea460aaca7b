#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tuile/core/host_memory.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::compute::cuda {

/// Page-locked host memory, which devices copy from and to at full speed and without the host's help. Locking pages is slow and freeing
/// them stops every device for a moment, so blocks are kept and given out again. A block is of a size class, at most an eighth larger than
/// asked for, and one that is kept serves for half its size and more. Shared by the buffers made with it, so it may outlive the backend.
/// Thread-safe.
class PinnedMemory final : public HostMemory {
 public:
  struct Limits {
    std::uint64_t most = 0;  ///< bytes in use and kept; beyond, allocate() gives null
    std::uint64_t kept = 0;  ///< bytes not in use that are kept
  };
  struct Statistics {
    std::uint64_t allocations = 0;                 ///< given out …
    std::uint64_t reused = 0;                      ///< … without locking pages
    std::uint64_t refused = 0;                     ///< null was given
    std::uint64_t in_use = 0, kept = 0, peak = 0;  ///< bytes; peak: in use and kept
    bool operator==(const Statistics&) const = default;
  };

  /// Smaller arrays are not worth a block: the driver copies them through memory of its own.
  static constexpr std::size_t least = std::size_t{16} << 10;

  /// devices: ids of those to be copied to; the first that still works locks the pages, for all.
  PinnedMemory(std::vector<int> devices, const Limits& limits) : devices_(std::move(devices)), limits_(limits) {}
  ~PinnedMemory() override;
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;

  void* allocate(std::size_t bytes) noexcept override;
  void release(void* data, std::size_t bytes) noexcept override;
  Statistics statistics() const;

  /// The size of the block for so many bytes: eight classes to every doubling, multiples of 4096. 0: none is made.
  static std::size_t block_size(std::size_t bytes) noexcept;

 private:
  /// A kept block of at least `size` bytes, the smallest; null: there is none that is not too large.
  void* reuse(std::size_t size) REQUIRES(mutex_);
  void take_from_kept(std::map<std::size_t, std::vector<void*>>::iterator blocks) REQUIRES(mutex_);
  bool remember(void* block, std::size_t size) noexcept REQUIRES(mutex_);
  void* lock_pages(std::size_t size) const noexcept;
  void free(void* block) const noexcept;
  /// Takes kept blocks away until `size` more bytes fit below limits_.most; what has to be freed goes to `surplus`.
  bool make_room(std::size_t size, std::vector<void*>& surplus) REQUIRES(mutex_);

  const std::vector<int> devices_;
  const Limits limits_;
  mutable Mutex mutex_;
  std::map<std::size_t, std::vector<void*>> kept_ GUARDED_BY(mutex_);  ///< by size
  std::unordered_map<void*, std::size_t> in_use_ GUARDED_BY(mutex_);   ///< sizes
  Statistics statistics_ GUARDED_BY(mutex_);
};

}  // namespace tuile::compute::cuda
