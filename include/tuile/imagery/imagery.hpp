#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/core/bounds.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/ground_truth.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/source/http.hpp"

namespace tuile::imagery {

/// Some bands of an orthophoto over a box, in the tile's CRS, north up.
struct Raster {
  double west = 0, north = 0;    ///< of the outer corner of the first pixel, metres
  double pixel = 0.2;            ///< side of a pixel, metres
  std::uint32_t columns = 0, rows = 0;
  std::uint32_t bands = 0;
  Buffer<std::uint16_t> values;  ///< rows × columns × bands; 16 bits (8-bit images times 257)
  Buffer<std::uint8_t> known;    ///< rows × columns: 0 where the image has no data
  std::size_t bytes() const noexcept { return values.bytes() + known.bytes(); }
};

/// What was got for a tile. A part that could not be had is empty, with the reason; never grey.
struct Colours {
  Raster rgb;  ///< 3 bands; no pixels where missing
  Raster nir;  ///< 1 band
  Outcome rgb_outcome = Outcome::not_requested, nir_outcome = Outcome::not_requested;  ///< data, failed or not requested
  std::string reason;              ///< where one failed
  ErrorKind kind = ErrorKind::io;  ///< likewise: whether another try can help
};

/// Where colours come from besides the tile. Thread-safe.
class ImagerySource {
 public:
  virtual ~ImagerySource() = default;
  /// "wms", or the files' names: for sidecars.
  virtual std::string name() const = 0;
  /// For the done key: paths, sizes and modification times, or the service's URL and layers.
  virtual std::string identity() const = 0;
  /// The images of a box (metres, CRS `epsg`) and a pixel around it. wanted: Field::rgb and Field::nir. What goes wrong is an outcome, never an
  /// exception, but Cancelled and OutOfMemory.
  virtual Colours fetch(const Bounds& box, int epsg, FieldSet wanted, std::stop_token stop) = 0;
};

/// GeoTIFFs (whatever GDAL reads, mosaics and VRTs too). A file whose name contains "irc" (any case) gives NIR with its first band; others give RGB with
/// their first three, and NIR with a fourth that is not alpha. Read at their own resolution; reprojected where their CRS is another; where files
/// overlap the first counts. Throws NotFound, PermissionDenied, ConfigError (no raster, fewer than 3 bands) naming the path.
std::unique_ptr<ImagerySource> open_rasters(const std::vector<std::string>& paths);

struct WmsOptions {
  std::string url = "https://data.geopf.fr/wms-r/wms";
  std::string rgb_layer = "HR.ORTHOIMAGERY.ORTHOPHOTOS";
  std::string irc_layer = "ORTHOIMAGERY.ORTHOPHOTOS.IRC";  ///< its first band is NIR
  double resolution = 0.2;                                 ///< metres
  int max_pixels = 5000;                                   ///< a side of one request; larger boxes are split
};
/// A WMS 1.3.0 asked for image/geotiff. Images that are white all over are refused.
std::unique_ptr<ImagerySource> make_wms(WmsOptions options, std::shared_ptr<source::HttpClient> client);

/// Sets red, green, blue and nir of every point: bilinear at its place between the centres of pixels that have data (16 bits). Points outside the
/// image, or next to a pixel without data, get 0 and no bit in `colour_known`. What was not got stays as it is… absent: where colours come from
/// imagery, the file's own are dropped first.
void colourise(PointBlock& points, const Colours& colours, FieldSet wanted, Executor& executor);

/// Writes an 8-bit GeoTIFF, north up, deflated; the same input gives the same bytes. values: rows × columns × bands. Throws IoError, PermissionDenied.
void write_geotiff(const std::string& path, std::span<const std::uint8_t> values, std::uint32_t columns, std::uint32_t rows, std::uint32_t bands,
                   double west, double north, double pixel, int epsg);

}  // namespace tuile::imagery
