#include "gdal_session.hpp"

#include <mutex>

#include "tuile/core/error.hpp"

namespace tuile::truth::gdal {

Session::Session() {
  static std::once_flag registered;
  CPLPushErrorHandlerEx(&Session::record, this);
  std::call_once(registered, [] { GDALAllRegister(); });
  clear();
}

Session::~Session() { CPLPopErrorHandler(); }

void Session::record(CPLErr level, CPLErrorNum, const char* message) {
  auto* session = static_cast<Session*>(CPLGetErrorHandlerUserData());
  if (level < CE_Failure || session == nullptr || session->failed_) return;
  session->failed_ = true;
  session->message_ = message;
}

std::string Session::message() const { return message_.empty() ? "GDAL gives no reason" : message_; }

void Session::clear() {
  failed_ = false;
  message_.clear();
  CPLErrorReset();
}

OwnedCrs make_crs(int epsg, const Session& session) {
  OwnedCrs crs(OSRNewSpatialReference(nullptr));
  if (!crs) throw OutOfMemory("no memory for a CRS");
  if (OSRImportFromEPSG(crs.get(), epsg) != OGRERR_NONE) {
    throw Unsupported("EPSG:" + std::to_string(epsg) + " is not known to PROJ (" + session.message() +
                      "); give a projected CRS by its EPSG code, e.g. 2154");
  }
  OSRSetAxisMappingStrategy(crs.get(), OAMS_TRADITIONAL_GIS_ORDER);
  return crs;
}

OwnedTransformation make_transformation(OGRSpatialReferenceH source, OGRSpatialReferenceH target, const std::string& from,
                                        const std::string& to, const Session& session) {
  OwnedTransformation transformation(OCTNewCoordinateTransformation(source, target));
  if (!transformation) {
    throw Unsupported("PROJ has no transformation from " + from + " to " + to + " (" + session.message() + "); reproject the data first");
  }
  return transformation;
}

OwnedGeometry from_wkb(const std::string& wkb) {
  OGRGeometryH geometry = nullptr;
  if (wkb.empty() || OGR_G_CreateFromWkbEx(wkb.data(), nullptr, &geometry, wkb.size()) != OGRERR_NONE) {
    OGR_G_DestroyGeometry(geometry);
    return nullptr;
  }
  return OwnedGeometry(geometry);
}

std::string to_wkb(OGRGeometryH geometry) {
  std::string wkb(OGR_G_WkbSizeEx(geometry), '\0');
  if (OGR_G_ExportToIsoWkb(geometry, wkbNDR, reinterpret_cast<unsigned char*>(wkb.data())) != OGRERR_NONE) wkb.clear();
  return wkb;
}

}  // namespace tuile::truth::gdal
