#pragma once

#include <cstdint>
#include <stop_token>
#include <utility>

#include "gdal_raster.hpp"
#include "imagery/imagery.hpp"
#include "tuile/core/bounds.hpp"

namespace tuile::imagery {

/// Where the pixels of a plane lie: pixel (column, row) begins at west + column · width and north − row · height, metres.
struct Lattice {
  double west = 0, north = 0, width = 0, height = 0;
};

/// The pixels whose centres a box needs for interpolation: those it touches, and `margin` around them. A millionth of a pixel is forgiven.
Window cover(const Lattice& lattice, const Bounds& box, std::int64_t margin);
Window intersection(const Window& a, const Window& b);

/// Where an image lies in some CRS.
struct Placement {
  bool straight =
      false;  ///< north up in that CRS: `lattice` is the image's own. Else one of squares of about its resolution, from coordinate 0
  Lattice lattice;
  Bounds extent;  ///< empty: nowhere
};
Placement place(const Image& image, const CrsMap& map);

/// Pastes images into one raster; the first that knows a pixel counts.
class Mosaic {
 public:
  /// A window of `lattice`; every step-th pixel of it where a side passes `longest`. The pixels are unknown at first.
  Mosaic(const Lattice& lattice, const Window& window, std::uint32_t bands, std::int64_t longest);
  /// Adds colour bands [first, first + bands) of an image. Throws IoError, Cancelled.
  void paste(const Image& image, const CrsMap& map, const Placement& placement, int first, const std::stop_token& stop);
  /// Whether some pixel is known.
  bool knows_something() const noexcept;
  Raster take() { return std::move(raster_); }

 private:
  void paste_straight(const Image& image, std::int64_t column_offset, std::int64_t row_offset, int first, const std::stop_token& stop);
  void paste_mapped(const Image& image, const CrsMap& map, int first, const std::stop_token& stop);

  Lattice lattice_;  // of the raster's pixels' first pixels: not multiplied by step_
  std::int64_t step_ = 1;
  Window window_;  // in pixels of step_
  Raster raster_;
};

}  // namespace tuile::imagery
