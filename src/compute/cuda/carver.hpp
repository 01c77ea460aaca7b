#pragma once

#include <cstddef>

namespace tuile::compute::cuda {

/// Parts one block of memory into arrays, each at a multiple of 256 bytes; without memory it only measures.
class Carver {
 public:
  static constexpr std::size_t alignment = 256;
  /// base: aligned likewise, or null
  explicit Carver(std::byte* base) : base_(base) {}

  /// `count` elements; null while measuring.
  template <class T>
  T* take(std::size_t count) {
    const std::size_t at = used_;
    used_ += (count * sizeof(T) + alignment - 1) / alignment * alignment;
    if (used_ > most_) most_ = used_;
    return base_ == nullptr ? nullptr : reinterpret_cast<T*>(base_ + at);
  }
  std::size_t position() const { return used_; }
  /// What follows shares its place with what was taken from `position` on.
  void back_to(std::size_t position) { used_ = position; }
  /// Bytes of all.
  std::size_t size() const { return most_; }

 private:
  std::byte* base_;
  std::size_t used_ = 0, most_ = 0;
};

}  // namespace tuile::compute::cuda
