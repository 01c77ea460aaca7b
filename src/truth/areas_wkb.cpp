#include "areas_wkb.hpp"

#include <cmath>

#include "truth/wkb_walker.hpp"

namespace tuile::truth {

namespace {

class ShapeTaker {
 public:
  explicit ShapeTaker(Shapes& shapes) : shapes_(shapes) {}
  bool met_curve() const noexcept { return met_curve_; }

  bool begin(WkbType type) noexcept {
    met_curve_ = type > WkbType::collection && type <= WkbType::triangle;
    has_shell_ = is_first_ = true;
    return !met_curve_;
  }

  void places(WkbType type, const WkbPlaces& places) {
    if (type == WkbType::line) {
      take_line(vertices(places));
    } else if (type == WkbType::polygon) {
      take_ring(vertices(places));
    }
  }

  void end(WkbType type) {
    if (type == WkbType::polygon && !rings_.empty()) shapes_.polygons.push_back(std::move(rings_));
    rings_.clear();
  }

 private:
  Ring vertices(const WkbPlaces& places) {
    Ring ring;
    ring.reserve(places.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
      const Position place = places[i];
      if (std::isfinite(place.x) && std::isfinite(place.y)) {
        ring.push_back(place);
      } else {
        shapes_.mended = true;
      }
    }
    return ring;
  }

  void take_line(Ring places) {
    if (places.size() >= 2) {
      shapes_.lines.push_back(std::move(places));
    } else if (!places.empty()) {
      shapes_.mended = true;
    }
  }

  void take_ring(Ring ring) {
    const bool closed = ring.size() > 1 && ring.front() == ring.back();
    if (closed) ring.pop_back();
    const bool bounds_area = ring.size() >= 3;
    if (!ring.empty() && (!closed || !bounds_area)) shapes_.mended = true;
    if (std::exchange(is_first_, false)) has_shell_ = bounds_area;
    if (bounds_area && has_shell_) rings_.push_back(std::move(ring));
  }

  Shapes& shapes_;
  Rings rings_;  ///< of the polygon that is being walked over
  bool is_first_ = true, has_shell_ = true, met_curve_ = false;
};

}  // namespace

WkbResult read_wkb(std::string_view wkb, Shapes& shapes) {
  ShapeTaker taker(shapes);
  if (WkbWalker(wkb, taker).walk()) return WkbResult::read;
  return taker.met_curve() ? WkbResult::curved : WkbResult::damaged;
}

}  // namespace tuile::truth
