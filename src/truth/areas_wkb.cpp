#include "areas_wkb.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace tuile::truth {

namespace {

constexpr int deepest = 32;  // collections within collections

enum Type : std::uint32_t {
  point = 1,
  line = 2,
  polygon = 3,
  multi_point = 4,
  multi_line = 5,
  multi_polygon = 6,
  collection = 7,
  last_curved = 17
};

class WkbReader {
 public:
  WkbReader(std::string_view bytes, Shapes& shapes) : bytes_(bytes), shapes_(shapes) {}

  WkbResult geometry(int depth) {
    std::uint8_t order = 0;
    if (depth > deepest || !number(order) || order > 1) return WkbResult::damaged;
    swap_ = (order == 1) != (std::endian::native == std::endian::little);
    std::uint32_t code = 0, ignored = 0;
    if (!number(code)) return WkbResult::damaged;
    // Extended WKB marks Z, M and an SRID by bits, ISO WKB Z and M by thousands.
    if ((code & 0x20000000U) != 0 && !number(ignored)) return WkbResult::damaged;
    const std::uint32_t thousands = (code & 0xffffU) / 1000;
    const std::uint32_t type = (code & 0xffffU) % 1000;
    const bool has_z = (code & 0x80000000U) != 0 || thousands == 1 || thousands == 3;
    const bool has_m = (code & 0x40000000U) != 0 || thousands == 2 || thousands == 3;
    if (thousands > 3) return WkbResult::damaged;
    dimensions_ = std::size_t{2} + (has_z ? 1 : 0) + (has_m ? 1 : 0);
    switch (type) {
      case point: return skip_point();
      case line: return take_line();
      case polygon: return take_polygon();
      case multi_point:
      case multi_line:
      case multi_polygon:
      case collection: return take_parts(depth);
      default: return type > collection && type <= last_curved ? WkbResult::curved : WkbResult::damaged;
    }
  }

 private:
  template <class Number>
  bool number(Number& value) {
    if (bytes_.size() < sizeof value) return false;
    char raw[sizeof value];
    for (std::size_t i = 0; i < sizeof value; ++i) raw[swap_ ? sizeof value - 1 - i : i] = bytes_[i];
    std::memcpy(&value, raw, sizeof value);
    bytes_.remove_prefix(sizeof value);
    return true;
  }

  bool vertices(Ring& ring) {
    std::uint32_t count = 0;
    if (!number(count) || count > bytes_.size() / (dimensions_ * sizeof(double))) return false;
    ring.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      Position place{};
      number(place.x);
      number(place.y);
      bytes_.remove_prefix((dimensions_ - 2) * sizeof(double));
      if (std::isfinite(place.x) && std::isfinite(place.y)) {
        ring.push_back(place);
      } else {
        shapes_.mended = true;
      }
    }
    return true;
  }

  WkbResult skip_point() {
    if (bytes_.size() < dimensions_ * sizeof(double)) return WkbResult::damaged;
    bytes_.remove_prefix(dimensions_ * sizeof(double));
    return WkbResult::read;
  }

  WkbResult take_line() {
    Ring places;
    if (!vertices(places)) return WkbResult::damaged;
    if (places.size() >= 2) {
      shapes_.lines.push_back(std::move(places));
    } else if (!places.empty()) {
      shapes_.mended = true;
    }
    return WkbResult::read;
  }

  WkbResult take_polygon() {
    std::uint32_t count = 0;
    if (!number(count) || count > bytes_.size() / sizeof(std::uint32_t)) return WkbResult::damaged;
    Rings rings;
    bool has_shell = false;
    for (std::uint32_t i = 0; i < count; ++i) {
      Ring ring;
      if (!vertices(ring)) return WkbResult::damaged;
      const bool closed = ring.size() > 1 && ring.front() == ring.back();
      if (closed) ring.pop_back();
      const bool bounds_area = ring.size() >= 3;
      if (!ring.empty() && (!closed || !bounds_area)) shapes_.mended = true;
      if (i == 0) has_shell = bounds_area;
      if (bounds_area && has_shell) rings.push_back(std::move(ring));
    }
    if (!rings.empty()) shapes_.polygons.push_back(std::move(rings));
    return WkbResult::read;
  }

  WkbResult take_parts(int depth) {
    std::uint32_t count = 0;
    if (!number(count) || count > bytes_.size()) return WkbResult::damaged;
    for (std::uint32_t i = 0; i < count; ++i) {
      const WkbResult part = geometry(depth + 1);
      if (part != WkbResult::read) return part;
    }
    return WkbResult::read;
  }

  std::string_view bytes_;
  Shapes& shapes_;
  bool swap_ = false;
  std::size_t dimensions_ = 2;
};

}  // namespace

WkbResult read_wkb(std::string_view wkb, Shapes& shapes) { return WkbReader(wkb, shapes).geometry(0); }

}  // namespace tuile::truth
