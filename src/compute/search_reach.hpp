#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "tuile/features/plan.hpp"

namespace tuile::compute {

/// How far a search reaches.
struct SearchReach {
  double radius = 0;          ///< units: of the largest ball that is searched
  std::uint32_t nearest = 0;  ///< the most neighbours looked for at any distance

  /// Adds a ball of so many metres.
  void add_radius(double metres, double scale) noexcept {
    // Nothing lies farther apart than 2^33 units; a little more than the radius, for rounding.
    radius = std::max(radius, std::min(std::ceil(metres / scale * (1 + 1e-9)), 0x1p33));
  }
};

/// How far the plan's searches reach. scale: metres per unit
SearchReach widest_search(const features::FeaturePlan& plan, double scale);

}  // namespace tuile::compute
