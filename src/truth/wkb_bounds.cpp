#include "truth/wkb_bounds.hpp"

#include <limits>

#include "truth/wkb_walker.hpp"

namespace tuile::truth {

namespace {

class BoundsTaker {
 public:
  const Bounds& found() const noexcept { return found_; }

  bool begin(WkbType) noexcept { return true; }
  void end(WkbType) noexcept {}
  void places(WkbType type, const WkbPlaces& places) noexcept {
    Bounds box;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const Position place = places[i];
      if (!(place.x == place.x && place.y == place.y)) continue;  // an empty point is made of NaN
      add(box, {place.x, place.y, place.x, place.y});
    }
    const bool arcs = type == WkbType::circular_string;
    if (!box.empty()) add(found_, arcs ? box.expanded(std::max(box.width(), box.height())) : box);
  }

 private:
  static void add(Bounds& to, const Bounds& box) noexcept {
    to = {std::min(to.min_x, box.min_x), std::min(to.min_y, box.min_y), std::max(to.max_x, box.max_x), std::max(to.max_y, box.max_y)};
  }

  Bounds found_;
};

}  // namespace

Bounds wkb_bounds(std::string_view wkb) noexcept {
  if (wkb.empty()) return {};
  constexpr double everywhere = std::numeric_limits<double>::infinity();
  BoundsTaker taker;
  return WkbWalker(wkb, taker).walk() ? taker.found() : Bounds{-everywhere, -everywhere, everywhere, everywhere};
}

}  // namespace tuile::truth
