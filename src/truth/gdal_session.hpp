#pragma once

// Private to the files that talk to GDAL: the only header of this module with its types. The C API: it compiles in a tenth of the time.

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <gdal.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>

#include <memory>
#include <string>
#include <type_traits>

namespace tuile::truth::gdal {

/// While it lives, what GDAL has to say in this thread is kept here instead of printed. The first makes GDAL's drivers known.
class Session {
 public:
  Session();
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// Whether something failed since construction or clear(); warnings are no failures.
  bool failed() const noexcept { return failed_; }
  /// The first failure since then, else "GDAL gives no reason".
  std::string message() const;
  void clear();

 private:
  static void CPL_STDCALL record(CPLErr level, CPLErrorNum number, const char* message);
  bool failed_ = false;
  std::string message_;
};

/// Calls a C function to let go of a handle.
template <auto Function>
struct Releaser {
  template <class Handle>
  void operator()(Handle* handle) const {
    Function(handle);
  }
};
template <class Handle, auto Function>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Releaser<Function>>;

using OwnedCrs = Owned<OGRSpatialReferenceH, OSRRelease>;
using OwnedTransformation = Owned<OGRCoordinateTransformationH, OCTDestroyCoordinateTransformation>;
using OwnedGeometry = Owned<OGRGeometryH, OGR_G_DestroyGeometry>;
using OwnedFeature = Owned<OGRFeatureH, OGR_F_Destroy>;
using OwnedDataset = Owned<GDALDatasetH, GDALClose>;

/// The CRS of an EPSG code, x before y. Throws Unsupported.
OwnedCrs make_crs(int epsg, const Session& session);
/// Throws Unsupported, naming the CRSs as `from` and `to`.
OwnedTransformation make_transformation(OGRSpatialReferenceH source, OGRSpatialReferenceH target, const std::string& from,
                                        const std::string& to, const Session& session);

/// Null where the bytes are no WKB that OGR can read.
OwnedGeometry from_wkb(const std::string& wkb);
/// ISO WKB, little-endian.
std::string to_wkb(OGRGeometryH geometry);

}  // namespace tuile::truth::gdal
