#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tuile/compute/backend.hpp"

/// What two backends must agree on, bit for bit. Without GoogleTest, so that it also runs where there is nothing but a card.
namespace tuile::conformance {

/// How large the clouds are: for a backend on an emulator, or on a card.
enum class Scale { emulator, card };

struct Case {
  std::string name;  ///< letters and digits, unique
  /// Computes on both and says what differs first; empty: nothing.
  std::function<std::string(compute::Backend& reference, compute::Backend& tested, Scale scale)> run;
};

/// All of them, in a fixed order.
std::vector<Case> all_cases();

/// By subject.
std::vector<Case> cloud_cases();    ///< kinds of clouds, neighbourhoods
std::vector<Case> feature_cases();  ///< sets, attributes, missing inputs
std::vector<Case> filter_cases();   ///< preprocessing
std::vector<Case> tile_cases();     ///< halos, batches, order, origin, odd tiles

}  // namespace tuile::conformance
