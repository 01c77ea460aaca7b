#pragma once

#include <string>

namespace tuile::truth {

/// The CRS of an EPSG code as OGC WKT 1, which LAS files hold. Throws Unsupported for a code that PROJ does not know.
std::string wkt_of_epsg(int epsg);

}  // namespace tuile::truth
