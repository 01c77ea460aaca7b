#pragma once

#include <vector>

#include "tuile/truth/features.hpp"

namespace tuile::truth {

/// Moves the geometries of `features` from one CRS to another, x before y in both (GIS order). Features whose geometry is damaged or lies
/// outside where the transformation is defined are removed: the caller sees by the size how many. Features without geometry stay. Curves
/// stay curves (their control points move). Nothing happens where the codes are equal. Thread-safe. Throws Unsupported where PROJ does not
/// know a code or has no way from one to the other.
void reproject(std::vector<Feature>& features, int from_epsg, int to_epsg);

}  // namespace tuile::truth
