#pragma once

// For the files of truth and imagery that talk to GDAL; no public header knows its types. The C API: it compiles in a tenth of the time.

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <gdal.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>

#include <memory>
#include <string>
#include <type_traits>

namespace tuile::gdal {

/// While it lives, what GDAL has to say in this thread is kept here instead of printed, and GDAL starts no threads of its own (theirs would
/// print). Sessions of a thread end in the order opposite to that of their beginnings. The first makes GDAL's drivers known, and bounds
/// its cache of blocks: by default that is a twentieth of the machine's memory.
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
  /// ": " and the first failure, else the first warning; or nothing.
  std::string why() const;
  void clear();
  /// Whether this thread has one.
  static bool is_open() noexcept;

 private:
  static void CPL_STDCALL record(CPLErr level, CPLErrorNum number, const char* message);
  bool failed_ = false, set_threads_ = false;
  std::string message_, warning_;
  Session* const outer_;
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

/// What GDAL says of a dataset that it closes goes to the session that is open: much of a file is written only then.
struct CloseDataset {
  void operator()(GDALDatasetH dataset) const;
};
using OwnedDataset = std::unique_ptr<std::remove_pointer_t<GDALDatasetH>, CloseDataset>;

/// The CRS of an EPSG code; by default x before y, whatever the authority says. Throws Unsupported.
OwnedCrs make_crs(int epsg, const Session& session, OSRAxisMappingStrategy axes = OAMS_TRADITIONAL_GIS_ORDER);
/// Throws Unsupported, naming the CRSs as `from` and `to`.
OwnedTransformation make_transformation(OGRSpatialReferenceH source, OGRSpatialReferenceH target, const std::string& from,
                                        const std::string& to, const Session& session);

/// Null where the bytes are no WKB that OGR can read.
OwnedGeometry from_wkb(const std::string& wkb);
/// ISO WKB, little-endian.
std::string to_wkb(OGRGeometryH geometry);

}  // namespace tuile::gdal
