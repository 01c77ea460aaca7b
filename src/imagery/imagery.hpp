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
  double west = 0, north = 0;  ///< of the outer corner of the first pixel, metres
  double pixel = 0.2;          ///< side of a pixel, metres; its width where it is no square
  double pixel_height = 0;     ///< metres; 0: a square
  std::uint32_t columns = 0, rows = 0;
  std::uint32_t bands = 0;
  Buffer<std::uint16_t> values;  ///< rows × columns × bands; 16 bits (8-bit images times 257)
  Buffer<std::uint8_t> known;    ///< rows × columns: 0 where the image has no data
  double row_height() const noexcept { return pixel_height > 0 ? pixel_height : pixel; }
  std::size_t bytes() const noexcept { return values.bytes() + known.bytes(); }
};

/// What was got for a tile. A part that could not be had is empty, with the reason; never grey.
struct Colours {
  Raster rgb;  ///< 3 bands; no pixels where missing
  Raster nir;  ///< 1 band

  // data, failed or not requested
  Outcome rgb_outcome = Outcome::not_requested;
  Outcome nir_outcome = Outcome::not_requested;

  std::string reason;              ///< where one failed
  ErrorKind kind = ErrorKind::io;  ///< likewise: whether another try can help
};

/// Where colours come from besides the tile. Thread-safe.
class ImagerySource {
 public:
  virtual ~ImagerySource() = default;
  /// "wms", or the files' names: for sidecars.
  virtual std::string name() const = 0;
  /// Whether a service is asked: what it does not give today it may give tomorrow.
  virtual bool is_remote() const noexcept = 0;
  /// For the done key: paths, sizes and modification times, or the service's URL and layers.
  virtual std::string identity() const = 0;
  /// Which of Field::rgb and Field::nir it has at all: nobody need ask it for the others.
  virtual FieldSet provides() const = 0;
  /// Side of its finest pixel, metres; what its images cost in memory is reckoned by it.
  virtual double finest_pixel() const = 0;
  /// The images of a box (metres, CRS `epsg`; 0: that of the images) and a pixel around it, less what lies outside every image. wanted:
  /// Field::rgb and Field::nir. What goes wrong is an outcome, never an exception, but Cancelled and OutOfMemory. No request is kept: each
  /// asks again.
  virtual Colours fetch(const Bounds& box, int epsg, FieldSet wanted, std::stop_token stop) = 0;
};

/// GeoTIFFs (whatever GDAL reads, mosaics and VRTs too). A file whose name contains "irc" (any case) gives NIR with its first band; others
/// give RGB with their first three, and NIR with a fourth that is not alpha. 8 or 16 bits. Read at their own resolution, in the pixels of
/// the finest file (the first of these); other pixels, and those of another CRS or turned, are interpolated to them, bilinear (other CRS:
/// in square pixels, counted from coordinate 0). Where files overlap the first that has data counts. Unknown: alpha 0, masks, and pixels
/// that hold the no-data value in all bands. Of a box over more than 20 000 pixels a side only every second, third … pixel is read. A file
/// without a CRS is taken to have the tile's. Throws NotFound, PermissionDenied, ConfigError (no raster, fewer than 3 bands, other types,
/// no place on the ground) naming the path.
std::unique_ptr<ImagerySource> open_rasters(const std::vector<std::string>& paths);

struct WmsOptions {
  std::string url = "https://data.geopf.fr/wms-r/wms";
  std::string rgb_layer = "HR.ORTHOIMAGERY.ORTHOPHOTOS";
  std::string irc_layer = "ORTHOIMAGERY.ORTHOPHOTOS.IRC";  ///< its first band is NIR
  double resolution = 0.2;                                 ///< metres
  int max_pixels = 5000;                                   ///< a side of one request; larger boxes are split
};
/// A WMS 1.3.0 asked for image/geotiff, in pixels counted from coordinate 0. A box of no more than max_pixels a side is one request: where
/// the pixel around it would make it two, it is left out (the points in the outer half pixel then take its colour). Images that are white
/// all over, of another size or another place are refused, and so are boxes of more than 20 000 pixels a side. Throws InvalidArgument
/// (resolution or max_pixels not positive, not an http(s) URL).
std::unique_ptr<ImagerySource> make_wms(WmsOptions options, std::shared_ptr<source::HttpClient> client);

/// Sets red, green, blue and nir of every point: bilinear at its place between the centres of the pixels around it (16 bits, rounded; in
/// the outer half pixel of the image, the colour of its border). Points outside the image, or next to a pixel without data that would
/// weigh, get 0 and no bit in `colour_known`, which stays empty where all is known. The wanted colours that the block has are dropped
/// first: what the imagery did not give is absent, never the file's own. Throws InvalidArgument (a raster that contradicts itself).
void colourise(PointBlock& points, const Colours& colours, FieldSet wanted, Executor& executor);

/// Writes an 8-bit GeoTIFF, north up, deflated; the same input gives the same bytes. values: rows × columns × bands. The file appears
/// complete or not at all. Throws IoError, PermissionDenied, NotFound (no such folder), Unsupported (EPSG code), InvalidArgument (sizes).
void write_geotiff(const std::string& path, std::span<const std::uint8_t> values, std::uint32_t columns, std::uint32_t rows,
                   std::uint32_t bands, double west, double north, double pixel, int epsg);

}  // namespace tuile::imagery
