#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

#include "tuile/core/error.hpp"

namespace tuile::las {

static_assert(std::endian::native == std::endian::little, "LAS is little endian; a big-endian host is not supported");

/// The value of type T at `from`, which need not be aligned.
template <class T>
T load(const std::byte* from) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <class T>
void store(std::byte* to, T value) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  std::memcpy(to, &value, sizeof(T));
}

/// Walks over little-endian bytes that came from outside; a step past their end is a CorruptData that names `what`.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string what) : bytes_(bytes), what_(std::move(what)) {}

  std::size_t position() const noexcept { return position_; }
  std::size_t remaining() const noexcept { return bytes_.size() - position_; }

  template <class T>
  T get() {
    require(sizeof(T));
    const T value = load<T>(bytes_.data() + position_);
    position_ += sizeof(T);
    return value;
  }

  std::span<const std::byte> take(std::size_t count) {
    require(count);
    const auto part = bytes_.subspan(position_, count);
    position_ += count;
    return part;
  }

  /// A text field of `count` bytes, up to its first NUL.
  std::string text(std::size_t count) {
    const auto part = take(count);
    const char* begin = reinterpret_cast<const char*>(part.data());
    return std::string(begin, ::strnlen(begin, count));
  }

 private:
  void require(std::size_t count) const {
    if (count > remaining()) {
      throw CorruptData(what_ + " needs " + std::to_string(count) + " bytes at offset " + std::to_string(position_) + " but only " +
                        std::to_string(remaining()) + " are left; the file is truncated or damaged, copy it again");
    }
  }

  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
  std::string what_;
};

}  // namespace tuile::las
