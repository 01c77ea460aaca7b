#pragma once

#include <cstddef>
#include <cstdint>

namespace tuile::imagery {

/// A view of pixels: values rows × columns × bands, known rows × columns.
struct PixelView {
  const std::uint16_t* values;
  const std::uint8_t* known;
  std::int64_t columns, rows;
  std::size_t bands;
};

/// Bilinear between the centres of the four pixels around (u, v), in pixels from the outer corner; nearer to the border than half a pixel,
/// that of the border. False, and `out` untouched, outside the image and where a pixel of some weight is unknown. Counted in ten-millionths
/// of a pixel and rounded once, so that the last bits of u and v, which depend on where the window begins, change nothing.
inline bool bilinear(const PixelView& image, double u, double v, std::uint16_t* out) {
  constexpr std::int64_t one = 10'000'000;  // one² · 65535 fits int64
  constexpr double slack = 1e-6;
  if (!(u >= -slack && v >= -slack && u <= static_cast<double>(image.columns) + slack && v <= static_cast<double>(image.rows) + slack))
    return false;
  const auto place = [](double at, std::int64_t count) {
    const std::int64_t from_centre = static_cast<std::int64_t>(at * one + 0.5) - one / 2;
    const std::int64_t last = (count - 1) * one;
    return from_centre < 0 ? 0 : from_centre > last ? last : from_centre;
  };
  const std::int64_t x = place(u, image.columns), y = place(v, image.rows);
  const std::int64_t east = x % one, south = y % one;
  const std::size_t corner = static_cast<std::size_t>(y / one * image.columns + x / one);
  const std::size_t right = east != 0 ? 1 : 0, below = south != 0 ? static_cast<std::size_t>(image.columns) : 0;
  if ((image.known[corner] & image.known[corner + right] & image.known[corner + below] & image.known[corner + below + right]) == 0)
    return false;
  const std::uint16_t* const from = image.values + corner * image.bands;
  for (std::size_t b = 0; b < image.bands; ++b) {
    const auto value = [&](std::size_t pixel) { return static_cast<std::int64_t>(from[pixel * image.bands + b]); };
    const std::int64_t top = value(0) * (one - east) + value(right) * east;
    const std::int64_t bottom = value(below) * (one - east) + value(below + right) * east;
    out[b] = static_cast<std::uint16_t>((top * (one - south) + bottom * south + one * one / 2) / (one * one));
  }
  return true;
}

}  // namespace tuile::imagery
