#pragma once

#include "tuile/catalog/catalog.hpp"
#include "tuile/las/file_info.hpp"

namespace tuile::catalog {

/// Sets entry.epsg and crs_name from, in this order: `forced` (EPSG, 0: none), the file, the file's name (LiDAR HD naming), and says so in
/// entry.warnings where the name had to serve. Throws Unsupported for coordinates in degrees.
void settle_crs(TileEntry& entry, const las::FileInfo& info, int forced);

}  // namespace tuile::catalog
