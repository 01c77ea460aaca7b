#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <list>
#include <map>
#include <span>
#include <utility>

#include "tuile/core/buffer.hpp"

namespace tuile::source {

/// Pieces of files that were read already. Bounded in bytes: the least recently used leave first. Not thread-safe.
class KeptBlocks {
 public:
  explicit KeptBlocks(std::size_t budget) : budget_(budget) {}

  void put(const void* file, std::uint64_t offset, Buffer<std::byte> bytes) {
    if (bytes.empty() || by_place_.contains({file, offset})) return;
    bytes_ += bytes.size();
    blocks_.push_front({{file, offset}, std::move(bytes)});
    by_place_.emplace(blocks_.front().place, blocks_.begin());
    while (bytes_ > budget_) {
      bytes_ -= blocks_.back().bytes.size();
      by_place_.erase(blocks_.back().place);
      blocks_.pop_back();
    }
  }

  /// Copies the bytes from `offset` as far as they are here; returns how many.
  std::size_t copy(const void* file, std::uint64_t offset, std::span<std::byte> out) {
    std::size_t done = 0;
    while (done < out.size()) {
      const auto after = by_place_.upper_bound({file, offset + done});
      if (after == by_place_.begin()) break;
      const auto block = std::prev(after)->second;
      if (block->place.first != file) break;
      const std::uint64_t into = offset + done - block->place.second;
      if (into >= block->bytes.size()) break;
      const std::size_t count = std::min<std::size_t>(out.size() - done, block->bytes.size() - into);
      std::memcpy(out.data() + done, block->bytes.data() + into, count);
      done += count;
      blocks_.splice(blocks_.begin(), blocks_, block);
    }
    return done;
  }

 private:
  using Place = std::pair<const void*, std::uint64_t>;
  struct Block {
    Place place;
    Buffer<std::byte> bytes;
  };
  const std::size_t budget_;
  std::size_t bytes_ = 0;
  std::list<Block> blocks_;  ///< the last used first
  std::map<Place, std::list<Block>::iterator> by_place_;
};

}  // namespace tuile::source
