#include "gdal/session.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "tuile/core/error.hpp"

namespace tuile::gdal {

namespace {

constexpr const char* threads_key = "GDAL_NUM_THREADS";
constexpr GIntBig largest_cache = GIntBig{128} << 20;
thread_local Session* innermost = nullptr;

}  // namespace

Session::Session() : outer_(std::exchange(innermost, this)) {
  static std::once_flag registered;
  CPLPushErrorHandlerEx(&Session::record, this);
  std::call_once(registered, [] {
    GDALAllRegister();
    GDALSetCacheMax64(std::min(GDALGetCacheMax64(), largest_cache));
  });
  if (CPLGetThreadLocalConfigOption(threads_key, nullptr) == nullptr) {
    CPLSetThreadLocalConfigOption(threads_key, "1");
    set_threads_ = true;
  }
  clear();
}

Session::~Session() {
  if (set_threads_) CPLSetThreadLocalConfigOption(threads_key, nullptr);
  CPLPopErrorHandler();
  innermost = outer_;
}

bool Session::is_open() noexcept { return innermost != nullptr; }

void Session::record(CPLErr level, CPLErrorNum, const char* message) {
  auto* session = static_cast<Session*>(CPLGetErrorHandlerUserData());
  if (session == nullptr) return;
  if (level == CE_Warning && session->warning_.empty()) session->warning_ = message;
  if (level < CE_Failure || session->failed_) return;
  session->failed_ = true;
  session->message_ = message;
}

std::string Session::message() const { return message_.empty() ? "GDAL gives no reason" : message_; }

std::string Session::why() const {
  const std::string& text = failed_ ? message_ : warning_;
  return text.empty() ? text : ": " + text;
}

void Session::clear() {
  failed_ = false;
  message_.clear();
  warning_.clear();
  CPLErrorReset();
}

void CloseDataset::operator()(GDALDatasetH dataset) const {
  if (Session::is_open()) {
    GDALClose(dataset);
  } else {
    const Session quiet;
    GDALClose(dataset);
  }
}

OwnedCrs make_crs(int epsg, const Session& session, OSRAxisMappingStrategy axes) {
  OwnedCrs crs(OSRNewSpatialReference(nullptr));
  if (!crs) throw OutOfMemory("no memory for a CRS");
  if (OSRImportFromEPSG(crs.get(), epsg) != OGRERR_NONE) {
    throw Unsupported("EPSG:" + std::to_string(epsg) + " is not known to PROJ (" + session.message() +
                      "); give a projected CRS by its EPSG code, e.g. 2154");
  }
  OSRSetAxisMappingStrategy(crs.get(), axes);
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

}  // namespace tuile::gdal
