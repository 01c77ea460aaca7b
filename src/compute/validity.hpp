#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "tuile/core/buffer.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/point_block.hpp"

namespace tuile::compute {

/// Which points of a tile count, a byte (1 or 0) for each; null: all of the block do.
struct Validity {
  const std::uint8_t* core = nullptr;
  const std::uint8_t* halo = nullptr;
};

/// The marks of a tile's points: first those that its classes give, then what the filters take away.
class Marks {
 public:
  /// A tile whose points all count.
  Marks() = default;
  /// excluded  classes whose points do not count
  Marks(const PointBlock& core, const PointBlock* halo, std::span<const std::uint8_t> excluded, Executor& executor);

  Validity view() const noexcept { return {core_.empty() ? nullptr : core_.data(), halo_.empty() ? nullptr : halo_.data()}; }
  std::size_t size() const noexcept { return core_.size() + halo_.size(); }
  std::size_t core_size() const noexcept { return core_.size(); }
  /// Core points that do not count.
  std::uint64_t invalid_core() const noexcept { return invalid_core_; }
  Buffer<std::uint8_t> take_core() noexcept { return std::move(core_); }

  /// Takes away the valid points for which `goes(index)`; an index counts core points, then those of the halo. goes is called from
  /// several threads.
  template <class Predicate>
  void remove_where(Predicate&& goes, Executor& executor) {
    constexpr std::size_t points_per_task = std::size_t{1} << 16;
    std::array<Buffer<std::uint8_t>*, 2> blocks{&core_, &halo_};
    std::size_t first = 0;
    for (Buffer<std::uint8_t>* block : blocks) {
      executor.for_each((block->size() + points_per_task - 1) / points_per_task, [&](std::size_t task) {
        const std::size_t end = std::min(block->size(), (task + 1) * points_per_task);
        for (std::size_t i = task * points_per_task; i < end; ++i) {
          if ((*block)[i] != 0 && goes(static_cast<std::uint32_t>(first + i))) (*block)[i] = 0;
        }
      });
      first += block->size();
    }
    count(executor);
  }

 private:
  void count(Executor& executor);

  Buffer<std::uint8_t> core_, halo_;
  std::uint64_t invalid_core_ = 0;
};

}  // namespace tuile::compute
