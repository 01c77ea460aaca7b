#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tuile/core/ground_truth.hpp"
#include "tuile/truth/features.hpp"

namespace tuile::truth {

/// Which features of a layer count, by one attribute. Text that is a number compares as one.
struct AttributeTest {
  enum class Kind { in, not_in, at_least, at_most };
  std::string attribute;
  Kind kind = Kind::in;
  std::vector<std::string> values;  ///< in, not_in
  double bound = 0;                 ///< at_least, at_most
  bool when_missing = true;         ///< whether a feature without the attribute (or with null, or no number where one is compared) counts
  bool operator==(const AttributeTest&) const = default;
};

/// How lines become areas: all places within a distance of the line.
/// distance = (attribute · factor, else by_value[value of `default_attribute`], else otherwise) + plus, metres.
/// Attributes that are missing, not positive or no number count as missing.
struct LineBuffer {
  std::string attribute;  ///< empty: none
  double factor = 1;
  std::string default_attribute = "nature";
  std::map<std::string, double> by_value;  ///< metres
  double otherwise = 0;                    ///< metres
  double plus = 0;                         ///< metres
  bool flat_caps = false;                  ///< the area ends where the line ends; else round
  bool operator==(const LineBuffer&) const = default;
};

/// A layer as it is fetched and turned into areas; what its areas mean is in label::LayerRules.
struct Layer {
  std::string name;  ///< "batiment"; a WFS prepends its prefix where there is no colon in it
  std::vector<AttributeTest> only;  ///< a feature counts where it passes all
  std::optional<LineBuffer> buffer;
  std::vector<std::string> attributes;  ///< exported with the objects
  bool operator==(const Layer&) const = default;
};

/// Canonical text of everything about a layer that changes its areas: part of cache keys.
std::string definition(const Layer& layer);

/// How far outside a box a feature's line may lie and its area still touch the box, metres: 0 for polygons.
double reach(const Layer& layer) noexcept;

/// Turns features into areas by a layer's definition: filters, linearises curves, drops Z and M, buffers lines (polygons keep their outline), mends
/// invalid rings (GEOS) and counts them in `repaired`. Without `buffer` lines and points give no area; features without any area are left out.
/// Sorted by id; a feature id that comes twice counts once. Deterministic: the same features give the same bits.
LayerAreas make_areas(std::span<const Feature> features, const Layer& layer, std::uint64_t& repaired);

}  // namespace tuile::truth
