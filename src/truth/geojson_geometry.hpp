#pragma once

#include <string>

#include "truth/geojson_reader.hpp"

namespace tuile::truth {

/// Reads a GeoJSON geometry (the value that comes next, null included) as ISO WKB, little-endian; "" where it is missing, empty, of no
/// known type or has a coordinate that cannot be one. Z is kept where every position has a finite one, else dropped; M and what follows
/// always. Coordinates may be strings. Rings are closed; rings of less than three places are left out, with their polygon if they are its
/// outline. Nested collections keep their nesting. Throws CorruptData where the text is not JSON.
std::string read_geometry(JsonReader& reader);

}  // namespace tuile::truth
