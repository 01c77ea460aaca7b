#pragma once

#include <string_view>

#include "tuile/core/bounds.hpp"

namespace tuile::truth {

/// The rectangle around a WKB (wkb_walker.hpp) of any type; empty where the geometry is. Around arcs it is larger than need be. Bytes
/// that are no such WKB give a rectangle that holds every place: an object is not to be lost because its place cannot be read.
Bounds wkb_bounds(std::string_view wkb) noexcept;

}  // namespace tuile::truth
