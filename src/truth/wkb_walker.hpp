#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "tuile/core/ground_truth.hpp"

namespace tuile::truth {

/// ISO types of WKB, without their thousands for Z and M.
enum class WkbType : std::uint32_t {
  point = 1,
  line = 2,
  polygon = 3,
  multi_point = 4,
  multi_line = 5,
  multi_polygon = 6,
  collection = 7,
  circular_string = 8,
  compound_curve = 9,
  curve_polygon = 10,
  multi_curve = 11,
  multi_surface = 12,
  curve = 13,
  surface = 14,
  polyhedral_surface = 15,
  tin = 16,
  triangle = 17,
};

/// Vertices that lie one behind the other in the bytes; all of them are there.
class WkbPlaces {
 public:
  WkbPlaces(const char* first, std::size_t count, std::size_t stride, bool swap) noexcept
      : first_(first), count_(count), stride_(stride), swap_(swap) {}
  std::size_t size() const noexcept { return count_; }
  Position operator[](std::size_t i) const noexcept {
    const char* at = first_ + i * stride_;
    return {number(at), number(at + sizeof(double))};
  }

 private:
  double number(const char* from) const noexcept {
    std::uint64_t bits = 0;
    std::memcpy(&bits, from, sizeof bits);
    if (swap_) bits = __builtin_bswap64(bits);
    return std::bit_cast<double>(bits);
  }

  const char* first_;
  std::size_t count_, stride_;
  bool swap_;
};

/// Walks over a geometry in ISO or extended WKB of either byte order, collections taken apart, Z and M left out; the only code that knows
/// its layout. Whatever the bytes, it ends, and reads none beyond them. A visitor has
///   bool begin(WkbType)                   of each geometry, its parts too; false ends the walk
///   void places(WkbType, WkbPlaces)       of a point, a line, a circular string, each ring of a polygon or triangle
///   void end(WkbType)
template <class Visitor>
class WkbWalker {
 public:
  WkbWalker(std::string_view bytes, Visitor& visitor) noexcept : rest_(bytes), visitor_(visitor) {}

  /// False where the bytes are no WKB or end too early, or the visitor wants no more. Bytes after the geometry are not looked at.
  bool walk() { return geometry(0); }

 private:
  static constexpr int deepest = 32;  ///< collections within collections

  bool geometry(int depth) {
    std::uint8_t order = 0;
    if (depth > deepest || !take(order) || order > 1) return false;
    swap_ = (order == 1) != (std::endian::native == std::endian::little);
    std::uint32_t code = 0, ignored = 0;
    if (!take(code)) return false;
    // Extended WKB marks Z, M and an SRID by bits, ISO WKB Z and M by thousands.
    if ((code & 0x20000000U) != 0 && !take(ignored)) return false;
    const std::uint32_t thousands = (code & 0xffffU) / 1000;
    if (thousands > 3) return false;
    const bool has_z = (code & 0x80000000U) != 0 || thousands == 1 || thousands == 3;
    const bool has_m = (code & 0x40000000U) != 0 || thousands == 2 || thousands == 3;
    stride_ = sizeof(double) * (std::size_t{2} + (has_z ? 1 : 0) + (has_m ? 1 : 0));
    const auto type = static_cast<WkbType>((code & 0xffffU) % 1000);
    if (!visitor_.begin(type) || !content(type, depth)) return false;
    visitor_.end(type);
    return true;
  }

  bool content(WkbType type, int depth) {
    switch (type) {
      case WkbType::point: return places(type, 1);
      case WkbType::line:
      case WkbType::circular_string: return sequence(type);
      case WkbType::polygon:
      case WkbType::triangle: return repeat([&] { return sequence(type); });
      case WkbType::multi_point:
      case WkbType::multi_line:
      case WkbType::multi_polygon:
      case WkbType::collection:
      case WkbType::compound_curve:
      case WkbType::curve_polygon:
      case WkbType::multi_curve:
      case WkbType::multi_surface:
      case WkbType::polyhedral_surface:
      case WkbType::tin: return repeat([&] { return geometry(depth + 1); });
      case WkbType::curve:
      case WkbType::surface: break;
    }
    return false;
  }

  /// Each of the parts counted takes bytes, or there are none left.
  template <class Part>
  bool repeat(Part part) {
    std::uint32_t count = 0;
    if (!take(count)) return false;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (!part()) return false;
    }
    return true;
  }

  bool sequence(WkbType type) {
    std::uint32_t count = 0;
    return take(count) && places(type, count);
  }

  bool places(WkbType type, std::size_t count) {
    if (count > rest_.size() / stride_) return false;
    visitor_.places(type, WkbPlaces(rest_.data(), count, stride_, swap_));
    rest_.remove_prefix(count * stride_);
    return true;
  }

  template <class Number>
  bool take(Number& value) noexcept {
    if (rest_.size() < sizeof value) return false;
    char raw[sizeof value];
    for (std::size_t i = 0; i < sizeof value; ++i) raw[swap_ ? sizeof value - 1 - i : i] = rest_[i];
    std::memcpy(&value, raw, sizeof value);
    rest_.remove_prefix(sizeof value);
    return true;
  }

  std::string_view rest_;
  Visitor& visitor_;
  bool swap_ = false;
  std::size_t stride_ = 2 * sizeof(double);
};

}  // namespace tuile::truth
