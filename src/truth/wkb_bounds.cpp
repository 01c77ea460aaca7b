#include "truth/wkb_bounds.hpp"

#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>

namespace tuile::truth {

namespace {

constexpr int deepest = 32;  ///< collections in collections

class Walker {
 public:
  explicit Walker(std::string_view bytes) : rest_(bytes) {}
  const Bounds& found() const noexcept { return found_; }

  /// Walks over one geometry; false where the bytes are none.
  bool geometry(int depth) noexcept {
    const auto order = take<std::uint8_t>();
    const auto code = take<std::uint32_t>();
    if (!order || *order != 1 || !code || *code / 1000 > 3 || depth > deepest) return false;
    const std::uint32_t dimensions = *code / 1000 == 0 ? 2 : *code / 1000 == 3 ? 4 : 3;
    switch (*code % 1000) {
      case 1: return places(1, dimensions, false);
      case 2: return line(dimensions, false);
      case 8: return line(dimensions, true);  // circular string
      case 3:
      case 17: return rings(dimensions);  // polygon, triangle
      case 4:
      case 5:
      case 6:
      case 7:
      case 9:
      case 10:
      case 11:
      case 12:
      case 15:
      case 16: return parts(depth);
      default: return false;
    }
  }

 private:
  template <class T>
  std::optional<T> take() noexcept {
    if (rest_.size() < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return value;
  }

  bool places(std::uint32_t count, std::uint32_t dimensions, bool arcs) noexcept {
    if (count > rest_.size() / (dimensions * sizeof(double))) return false;
    Bounds box;
    for (std::uint32_t i = 0; i < count; ++i) {
      double place[2];
      std::memcpy(place, rest_.data(), sizeof place);
      rest_.remove_prefix(dimensions * sizeof(double));
      if (!(place[0] == place[0] && place[1] == place[1])) continue;  // an empty point is made of NaN
      add(box, {place[0], place[1], place[0], place[1]});
    }
    if (!box.empty()) add(found_, arcs ? box.expanded(std::max(box.width(), box.height())) : box);
    return true;
  }

  bool line(std::uint32_t dimensions, bool arcs) noexcept {
    const auto count = take<std::uint32_t>();
    return count && places(*count, dimensions, arcs);
  }

  bool rings(std::uint32_t dimensions) noexcept {
    const auto count = take<std::uint32_t>();
    for (std::uint32_t i = 0; count && i < *count; ++i) {
      if (!line(dimensions, false)) return false;
    }
    return count.has_value();
  }

  bool parts(int depth) noexcept {
    const auto count = take<std::uint32_t>();
    for (std::uint32_t i = 0; count && i < *count; ++i) {
      if (!geometry(depth + 1)) return false;
    }
    return count.has_value();
  }

  static void add(Bounds& to, const Bounds& box) noexcept {
    to = {std::min(to.min_x, box.min_x), std::min(to.min_y, box.min_y), std::max(to.max_x, box.max_x), std::max(to.max_y, box.max_y)};
  }

  std::string_view rest_;
  Bounds found_;
};

}  // namespace

Bounds wkb_bounds(std::string_view wkb) noexcept {
  if (wkb.empty()) return {};
  constexpr double everywhere = std::numeric_limits<double>::infinity();
  Walker walker(wkb);
  return walker.geometry(0) ? walker.found() : Bounds{-everywhere, -everywhere, everywhere, everywhere};
}

}  // namespace tuile::truth
