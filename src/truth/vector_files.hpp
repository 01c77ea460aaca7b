#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tuile/truth/features.hpp"

namespace tuile::truth {

/// A GeoPackage, FlatGeobuf, GeoJSON or Shapefile (whatever GDAL reads), or a folder of `<layer>.<ext>`. Layers are found by name without
/// regard to case, with or without a prefix up to a colon ("BDTOPO_V3:batiment" is "batiment"), and "BDTOPO_V3_batiment" too. They are
/// reprojected to the CRS asked for. A layer that is absent, a box that is not inside what the file (or folder) covers, the extent of all
/// its layers together, and objects of the box that cannot be read are *failed*: a département's border must not look like a desert. A box
/// inside without features is confirmed empty. Throws NotFound, PermissionDenied, ConfigError (not vector data), naming the path.
std::unique_ptr<FeatureSource> open_vector_files(const std::string& path);

/// One layer to write.
struct VectorLayer {
  std::string name;
  std::string geometry;  ///< "MultiPolygon", "LineString", …: what GDAL calls it; "" for any
  std::vector<Feature> features;
};

/// Writes a GeoPackage with the layers, in the CRS `epsg`; attributes are typed by their values (all integers, all numbers, all booleans,
/// else text); a geometry of the simple type is promoted where the layer is Multi. The same input gives the same bytes. Appears complete or
/// not at all. Throws IoError, PermissionDenied.
void write_geopackage(const std::string& path, std::span<const VectorLayer> layers, int epsg);

}  // namespace tuile::truth
