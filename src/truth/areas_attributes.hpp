#pragma once

#include <string_view>

#include "tuile/truth/layer.hpp"

namespace tuile::truth {

/// The attribute of that name, or the one that stands for it in a Shapefile, whose names have ten characters at most: BD TOPO's own short
/// names
/// ("NB_VOIES" is nombre_de_voies), else the first ten characters. Null where there is none.
const AttributeValue* find_attribute(const Feature& feature, std::string_view name) noexcept;

/// Whether a feature passes all tests of a layer. Empty text counts as null: Shapefiles cannot tell them apart.
bool passes(const Feature& feature, const std::vector<AttributeTest>& tests);

/// Metres; not positive where the line becomes no area.
double buffer_distance(const Feature& feature, const LineBuffer& buffer);

/// What an attribute can give a buffer at most, metres: beyond it is a mistake in the data (no carriageway is 100 m wide), and reach() must
/// be known.
constexpr double largest_attribute_distance = 50;

}  // namespace tuile::truth
