#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "bilinear.hpp"
#include "imagery/imagery.hpp"

namespace tuile::imagery {

namespace {

constexpr std::size_t points_per_task = 65536;
constexpr std::uint8_t rgb_bit = 1, nir_bit = 2;

/// A raster to take colours from: its pixels and where they lie.
struct Sampler {
  PixelView pixels;
  double west, north, width, height;

  Sampler(const Raster& raster, std::uint32_t bands)
      : pixels{raster.values.data(), raster.known.data(), raster.columns, raster.rows, raster.bands},
        west(raster.west),
        north(raster.north),
        width(raster.pixel),
        height(raster.row_height()) {
    const std::size_t count = std::size_t{raster.columns} * raster.rows;
    if (raster.bands != bands || raster.known.size() != count || raster.values.size() != count * bands || !(width > 0) || !(height > 0)) {
      throw InvalidArgument("colourise: a raster of " + std::to_string(raster.columns) + " × " + std::to_string(raster.rows) +
                            " pixels and " + std::to_string(raster.bands) + " bands has " + std::to_string(raster.values.size()) +
                            " values; " + std::to_string(bands) + " bands are expected");
    }
  }
  bool at(double x, double y, std::uint16_t* out) const { return bilinear(pixels, (x - west) / width, (north - y) / height, out); }
};

bool has_pixels(const Raster& raster) { return raster.columns > 0 && raster.rows > 0; }

}  // namespace

void colourise(PointBlock& points, const Colours& colours, FieldSet wanted, Executor& executor) {
  const bool wants_rgb = wanted.has(Field::rgb), wants_nir = wanted.has(Field::nir);
  if (!wants_rgb && !wants_nir) return;
  const bool takes_rgb = wants_rgb && has_pixels(colours.rgb), takes_nir = wants_nir && has_pixels(colours.nir);
  if (takes_rgb) Sampler(colours.rgb, 3);  // throws before anything is changed
  if (takes_nir) Sampler(colours.nir, 1);
  const std::size_t size = points.size();
  const auto renew = [size](bool taken, Buffer<std::uint16_t>& values) {
    values = taken ? Buffer<std::uint16_t>(size) : Buffer<std::uint16_t>();
  };
  if (wants_rgb) {
    renew(takes_rgb, points.red);
    renew(takes_rgb, points.green);
    renew(takes_rgb, points.blue);
  }
  if (wants_nir) renew(takes_nir, points.nir);

  // What does not come from the images keeps its bit; what they did not have has no column and needs none.
  const auto taken = static_cast<std::uint8_t>((takes_rgb ? rgb_bit : 0) | (takes_nir ? nir_bit : 0));
  Buffer<std::uint8_t> known(size);
  std::atomic<bool> all_known{true};
  const double scale = points.grid.scale;
  executor.for_each((size + points_per_task - 1) / points_per_task, [&](std::size_t task) {
    const std::size_t end = std::min(size, (task + 1) * points_per_task);
    std::uint8_t in_all = rgb_bit | nir_bit;
    const auto each = [&](auto&& sample) {
      for (std::size_t i = task * points_per_task; i < end; ++i) {
        const double x = static_cast<double>(points.grid.origin[0] + points.units[i].x) * scale;
        const double y = static_cast<double>(points.grid.origin[1] + points.units[i].y) * scale;
        sample(i, x, y);
      }
    };
    each([&](std::size_t i, double, double) {
      const std::uint8_t before = points.colour_known.empty() ? std::uint8_t{rgb_bit | nir_bit} : points.colour_known[i];
      known[i] = static_cast<std::uint8_t>(before & ~taken);
    });
    if (takes_rgb) {
      const Sampler image(colours.rgb, 3);
      each([&](std::size_t i, double x, double y) {
        std::uint16_t colour[3] = {0, 0, 0};
        if (image.at(x, y, colour)) known[i] |= rgb_bit;
        points.red[i] = colour[0];
        points.green[i] = colour[1];
        points.blue[i] = colour[2];
      });
    }
    if (takes_nir) {
      const Sampler image(colours.nir, 1);
      each([&](std::size_t i, double x, double y) {
        std::uint16_t value = 0;
        if (image.at(x, y, &value)) known[i] |= nir_bit;
        points.nir[i] = value;
      });
    }
    for (std::size_t i = task * points_per_task; i < end; ++i) in_all &= known[i];
    if (in_all != (rgb_bit | nir_bit)) all_known.store(false, std::memory_order_relaxed);
  });
  points.colour_known = all_known.load() ? Buffer<std::uint8_t>() : std::move(known);
}

}  // namespace tuile::imagery
