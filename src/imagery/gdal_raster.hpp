#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tuile/core/buffer.hpp"

// All that imagery needs of GDAL, without its types. Nothing here prints: GDAL's messages end in our errors.
namespace tuile::imagery {

/// Pixels [column, column + columns) × [row, row + rows) of a lattice, rows southwards.
struct Window {
  std::int64_t column = 0, row = 0, columns = 0, rows = 0;
  bool empty() const noexcept { return columns <= 0 || rows <= 0; }
};

/// Some pixels in memory.
struct Pixels {
  std::uint32_t columns = 0, rows = 0, bands = 0;
  Buffer<std::uint16_t> values;  ///< rows × columns × bands; 8-bit images times 257
  Buffer<std::uint8_t> known;    ///< rows × columns
};

struct ImageInfo {
  std::string name;  ///< the path, or what messages call it
  std::int64_t columns = 0, rows = 0;
  int colours = 0;        ///< bands that are not alpha
  std::string type;       ///< of its values, as GDAL calls it
  bool readable = false;  ///< 8 or 16 bits, unsigned
  bool georeferenced = false;
  std::array<double, 6> to_crs{0, 1, 0,
                               0, 0, 1};  ///< x = [0] + u·[1] + v·[2], y = [3] + u·[4] + v·[5]; u, v in pixels from the outer corner
};

/// An opened image. Not thread-safe: one thread opens, reads and closes it.
class Image {
 public:
  /// Throws NotFound, PermissionDenied, ConfigError (GDAL takes it for no raster).
  static Image open(const std::string& path);
  /// An image file in memory (GeoTIFF, PNG or JPEG: nothing that can refer to other files). `bytes` must outlive it. Throws IoError.
  static Image parse(std::span<const std::byte> bytes, const std::string& name);
  Image(Image&&) noexcept;
  ~Image();

  const ImageInfo& info() const noexcept { return info_; }
  /// The files it is made of: a VRT's sources too.
  std::vector<std::string> files() const;
  /// `window` must lie inside the image, its sides multiples of `step`: every step-th pixel is read (through overviews, where there are).
  /// Colour bands [first, first + bands). Unknown are pixels that alpha or a mask hides, and those where every band holds its no-data
  /// value. Throws IoError (kinds that can pass) naming the image.
  Pixels read(const Window& window, std::int64_t step, int first, int bands) const;

 private:
  friend class CrsMap;
  struct Impl;
  explicit Image(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  ImageInfo info_;
};

/// The way between places in the CRS `epsg` (x east, y north) and pixels of an image. Not thread-safe.
class CrsMap {
 public:
  /// epsg 0, or an image without a CRS: taken to be the same. Throws Unsupported where PROJ knows no way. `image` must outlive it.
  CrsMap(const Image& image, int epsg);
  ~CrsMap();
  CrsMap(const CrsMap&) = delete;
  CrsMap& operator=(const CrsMap&) = delete;

  /// Whether the two systems differ by less than a hundredth of a pixel all over the image.
  bool same_crs() const noexcept;
  /// Places to pixels from the outer corner, in place; NaN where there are none.
  void to_pixels(std::span<double> x, std::span<double> y) const;
  void from_pixels(std::span<double> x, std::span<double> y) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Whether the official axis order of a CRS is north (or latitude) before east, as WMS 1.3.0 then wants its BBOX. Throws Unsupported (no
/// such code).
bool north_comes_first(int epsg);

/// An 8-bit GeoTIFF: tiled, deflated, no times. values: rows × columns × bands.
std::vector<std::byte> encode_geotiff(std::span<const std::uint8_t> values, std::uint32_t columns, std::uint32_t rows, std::uint32_t bands,
                                      double west, double north, double pixel, int epsg);

}  // namespace tuile::imagery
