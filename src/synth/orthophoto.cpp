#include "synth/orthophoto.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "imagery/imagery.hpp"
#include "tuile/core/error.hpp"

namespace tuile::synth {

namespace {

constexpr double finest_pixel = 0.2;   ///< metres
constexpr double margin = 2;           ///< around the town, metres
constexpr double most_pixels = 400e6;  ///< of an image
constexpr std::uint32_t band_rows = 16;

}  // namespace

Orthophoto Orthophoto::frame(const Bounds& town) {
  const Bounds area = town.expanded(margin);
  const double finest = area.width() * area.height() / (finest_pixel * finest_pixel);
  Orthophoto photo{area.min_x, area.max_y, finest_pixel * std::ceil(std::sqrt(std::max(finest / most_pixels, 1.0))), 0, 0, {}};
  // Not a column more where a width is whole pixels but for its last bit.
  const auto pixels = [&](double metres) { return static_cast<std::uint32_t>(std::ceil(metres / photo.pixel - 1e-6)); };
  photo.columns = pixels(area.width());
  photo.rows = pixels(area.height());
  return photo;
}

Orthophoto Orthophoto::render(const Scene& scene, Executor& executor, std::stop_token stop) {
  Orthophoto photo = frame(scene.town().bounds());
  photo.seen.resize(std::size_t{photo.columns} * photo.rows);
  executor.for_each((photo.rows + band_rows - 1) / band_rows, [&](std::size_t band) {
    if (stop.stop_requested()) throw Cancelled("stopped before the orthophotos were complete; run again to write them");
    const auto first = static_cast<std::uint32_t>(band) * band_rows;
    for (std::uint32_t row = first; row < std::min(first + band_rows, photo.rows); ++row) {
      const double y = photo.north - (row + 0.5) * photo.pixel;
      Material* at = photo.seen.data() + std::size_t{row} * photo.columns;
      for (std::uint32_t column = 0; column < photo.columns; ++column)
        at[column] = scene.seen_from_above(photo.west + (column + 0.5) * photo.pixel, y);
    }
  });
  return photo;
}

void Orthophoto::write(const std::string& path, double Appearance::*first, double Appearance::*second, double Appearance::*third) const {
  std::vector<std::uint8_t> values;
  values.reserve(seen.size() * 3);
  for (const Material material : seen) {
    const Appearance& look = appearance(material);
    for (const double value : {look.*first, look.*second, look.*third}) values.push_back(static_cast<std::uint8_t>(value));
  }
  imagery::write_geotiff(path, values, columns, rows, 3, west, north, pixel, 2154);
}

}  // namespace tuile::synth
