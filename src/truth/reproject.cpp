#include "reproject.hpp"

#include "gdal/session.hpp"

namespace tuile::truth {

void reproject(std::vector<Feature>& features, int from_epsg, int to_epsg) {
  if (from_epsg == to_epsg || features.empty()) return;
  const gdal::Session session;
  const gdal::OwnedCrs source = gdal::make_crs(from_epsg, session);
  const gdal::OwnedCrs target = gdal::make_crs(to_epsg, session);
  const gdal::OwnedTransformation transformation = gdal::make_transformation(
      source.get(), target.get(), "EPSG:" + std::to_string(from_epsg), "EPSG:" + std::to_string(to_epsg), session);
  std::erase_if(features, [&](Feature& feature) {
    if (feature.geometry.empty()) return false;
    const gdal::OwnedGeometry geometry = gdal::from_wkb(feature.geometry);
    if (!geometry || OGR_G_Transform(geometry.get(), transformation.get()) != OGRERR_NONE) return true;
    feature.geometry = gdal::to_wkb(geometry.get());
    return feature.geometry.empty();
  });
}

}  // namespace tuile::truth
