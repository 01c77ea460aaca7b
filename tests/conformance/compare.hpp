#pragma once

#include <span>
#include <string>
#include <vector>

#include "tuile/compute/backend.hpp"

namespace tuile::conformance {

/// What differs between two outputs of one tile, bit by bit; empty: nothing.
std::string difference(const compute::TileOutput& expected, const compute::TileOutput& got);

/// Computes the tiles in one call on each backend and compares. An error must be of the same type on both.
std::string compare(compute::Backend& reference, compute::Backend& tested, std::span<const compute::TileInput> tiles,
                    const features::FeaturePlan& plan, const compute::Preprocess& preprocess = {});
std::string compare(compute::Backend& reference, compute::Backend& tested, const compute::TileInput& tile,
                    const features::FeaturePlan& plan, const compute::Preprocess& preprocess = {});

}  // namespace tuile::conformance
