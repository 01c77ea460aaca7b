#include "tuile/truth/crs_text.hpp"

#include "gdal/session.hpp"
#include "tuile/core/error.hpp"

namespace tuile::truth {

std::string wkt_of_epsg(int epsg) {
  const gdal::Session session;
  const gdal::OwnedCrs crs = gdal::make_crs(epsg, session);
  const char* const options[] = {"FORMAT=WKT1_GDAL", nullptr};
  char* text = nullptr;
  const OGRErr error = OSRExportToWktEx(crs.get(), &text, options);
  const std::string wkt = text == nullptr ? "" : text;
  CPLFree(text);
  if (error != OGRERR_NONE || wkt.empty()) {
    throw Unsupported("EPSG:" + std::to_string(epsg) + " cannot be written as WKT (" + session.message() + "); give the WKT itself");
  }
  return wkt;
}

}  // namespace tuile::truth
