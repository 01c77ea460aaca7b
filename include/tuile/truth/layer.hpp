#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tuile/core/ground_truth.hpp"
#include "tuile/core/truth_layer.hpp"
#include "tuile/truth/features.hpp"

namespace tuile::truth {

using tuile::AttributeTest;
using tuile::LineBuffer;

/// A layer as it is fetched and turned into areas; what its areas mean is in label::LayerRules.
struct Layer {
  std::string name;                 ///< "batiment"; a WFS prepends its prefix where there is no colon in it
  std::vector<AttributeTest> only;  ///< a feature counts where it passes all
  std::optional<LineBuffer> buffer;
  std::vector<std::string> attributes;  ///< exported with the objects
  bool operator==(const Layer&) const = default;
};

/// Canonical text of everything about a layer that changes its areas: part of cache keys.
std::string definition(const Layer& layer);

/// How far outside a box a feature's line may lie and its area still touch the box, metres: 0 for polygons.
double reach(const Layer& layer) noexcept;

/// Turns features into areas by a layer's definition: filters, linearises curves, drops Z and M, buffers lines (polygons keep their
/// outline), mends invalid rings (GEOS) and counts them in `repaired`. Without `buffer` lines and points give no area; features without any
/// area are left out. Sorted by id; a feature id that comes twice counts once. Deterministic: the same features give the same bits.
LayerAreas make_areas(std::span<const Feature> features, const Layer& layer, std::uint64_t& repaired);

}  // namespace tuile::truth
