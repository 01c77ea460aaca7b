#include "mosaic.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "bilinear.hpp"
#include "tuile/core/error.hpp"

namespace tuile::imagery {

namespace {

constexpr std::int64_t node_spacing = 32;           // pixels between exact transformations; on 6 m of ground a map projection is straight
constexpr std::int64_t pixels_per_strip = 1 << 20;  // read at once

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }
std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return -floor_divide(-a, b); }

std::int64_t rows_per_strip(const Window& window) { return std::max<std::int64_t>(1, pixels_per_strip / window.columns); }

void throw_if_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Cancelled("stopped while reading imagery");
}

/// Two digits: 0.1997 → 0.2.
double round_to_two_digits(double value) {
  const double unit = std::pow(10.0, std::floor(std::log10(value)) - 1);
  return std::round(value / unit) * unit;
}

/// By how many whole pixels `image` begins east (south) of `target`; nothing where its pixels are others.
std::optional<std::int64_t> offset(double begin, double pixel, double image_begin, double image_pixel, std::int64_t image_count) {
  constexpr double tolerance = 0.01;  // pixels
  if (!(std::abs(image_pixel - pixel) * static_cast<double>(image_count) < tolerance * pixel)) return std::nullopt;
  const double distance = (image_begin - begin) / pixel;
  if (!(std::abs(distance - std::round(distance)) < tolerance)) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(distance));
}

/// The image's pixels at a grid of places: rows × columns nodes, node_spacing pixels of the raster apart.
struct Nodes {
  std::size_t columns, rows;
  std::vector<double> u, v;

  /// Pixel of the image at `column`, `row` pixels from the first node.
  std::pair<double, double> at(double column, double row) const {
    const double x = column / node_spacing, y = row / node_spacing;
    const auto left = static_cast<std::size_t>(x), top = static_cast<std::size_t>(y);
    const double east = x - static_cast<double>(left), south = y - static_cast<double>(top);
    const std::size_t node = top * columns + left;
    const auto between = [&](const std::vector<double>& values) {
      const double above = values[node] * (1 - east) + values[node + 1] * east;
      const double below = values[node + columns] * (1 - east) + values[node + columns + 1] * east;
      return above * (1 - south) + below * south;
    };
    return {between(u), between(v)};
  }
};

}  // namespace

Window cover(const Lattice& lattice, const Bounds& box, std::int64_t margin) {
  constexpr double tolerance = 1e-6;
  constexpr double far = 1e15;  // pixels: infinite boxes are fine
  const auto whole = [&](double pixels) { return static_cast<std::int64_t>(std::clamp(pixels, -far, far)); };
  const auto first = [&](double pixels) { return whole(std::floor(pixels + tolerance)) - margin; };
  const auto end = [&](double pixels) { return whole(std::ceil(pixels - tolerance)) + margin; };
  Window window;
  window.column = first((box.min_x - lattice.west) / lattice.width);
  window.row = first((lattice.north - box.max_y) / lattice.height);
  window.columns = std::max<std::int64_t>(1, end((box.max_x - lattice.west) / lattice.width) - window.column);
  window.rows = std::max<std::int64_t>(1, end((lattice.north - box.min_y) / lattice.height) - window.row);
  return window;
}

Window intersection(const Window& a, const Window& b) {
  Window both;
  both.column = std::max(a.column, b.column);
  both.row = std::max(a.row, b.row);
  both.columns = std::min(a.column + a.columns, b.column + b.columns) - both.column;
  both.rows = std::min(a.row + a.rows, b.row + b.rows) - both.row;
  return both;
}

Placement place(const Image& image, const CrsMap& map) {
  const ImageInfo& info = image.info();
  const auto columns = static_cast<double>(info.columns), rows = static_cast<double>(info.rows);
  const auto& t = info.to_crs;
  Placement placement;
  if (map.same_crs() && t[2] == 0 && t[4] == 0 && t[1] > 0 && t[5] < 0) {
    placement.straight = true;
    placement.lattice = {t[0], t[3], t[1], -t[5]};
    placement.extent = {t[0], t[3] + rows * t[5], t[0] + columns * t[1], t[3]};
    return placement;
  }
  // The outline is mapped at so many places of each side; a pixel more covers what bulges between them.
  constexpr int parts = 64;
  std::vector<double> x, y;
  for (int i = 0; i <= parts; ++i) {
    const double part = static_cast<double>(i) / parts;
    for (const double side : {-1.0, 1.0}) {
      x.push_back(part * columns);
      y.push_back(side < 0 ? -1.0 : rows + 1.0);
      x.push_back(side < 0 ? -1.0 : columns + 1.0);
      y.push_back(part * rows);
    }
  }
  for (const double shift : {0.0, 1.0}) {
    x.insert(x.end(), {columns / 2 + shift, columns / 2});
    y.insert(y.end(), {rows / 2, rows / 2 + shift});
  }
  map.from_pixels(x, y);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i])) continue;
    placement.extent = {std::min(placement.extent.min_x, x[i]), std::min(placement.extent.min_y, y[i]),
                        std::max(placement.extent.max_x, x[i]), std::max(placement.extent.max_y, y[i])};
  }
  // The last four places: the centre twice, a pixel east of it, a pixel south of it.
  const double* const cx = &x[x.size() - 4];
  const double* const cy = &y[y.size() - 4];
  const double area = std::abs((cx[2] - cx[0]) * (cy[3] - cy[0]) - (cx[3] - cx[0]) * (cy[2] - cy[0]));
  if (!(area > 0)) {
    placement.extent = {};
    return placement;
  }
  const double pixel = round_to_two_digits(std::sqrt(area));
  placement.lattice = {0, 0, pixel, pixel};
  return placement;
}

Mosaic::Mosaic(const Lattice& lattice, const Window& window, std::uint32_t bands, std::int64_t longest) : lattice_(lattice) {
  step_ = std::max<std::int64_t>(1, ceil_divide(std::max(window.columns, window.rows), longest));
  window_.column = floor_divide(window.column, step_);
  window_.row = floor_divide(window.row, step_);
  window_.columns = ceil_divide(window.column + window.columns, step_) - window_.column;
  window_.rows = ceil_divide(window.row + window.rows, step_) - window_.row;
  raster_.west = lattice.west + static_cast<double>(window_.column * step_) * lattice.width;
  raster_.north = lattice.north - static_cast<double>(window_.row * step_) * lattice.height;
  raster_.pixel = lattice.width * static_cast<double>(step_);
  raster_.pixel_height = lattice.height * static_cast<double>(step_);
  raster_.columns = static_cast<std::uint32_t>(window_.columns);
  raster_.rows = static_cast<std::uint32_t>(window_.rows);
  raster_.bands = bands;
  const std::size_t count = std::size_t{raster_.columns} * raster_.rows;
  raster_.values = Buffer<std::uint16_t>(count * bands, 0);
  raster_.known = Buffer<std::uint8_t>(count, 0);
}

bool Mosaic::knows_something() const noexcept { return std::find(raster_.known.begin(), raster_.known.end(), 1) != raster_.known.end(); }

void Mosaic::paste(const Image& image, const CrsMap& map, const Placement& placement, int first, const std::stop_token& stop) {
  if (placement.straight) {
    const Lattice& own = placement.lattice;
    const auto columns = offset(lattice_.west, lattice_.width, own.west, own.width, image.info().columns);
    const auto rows = offset(-lattice_.north, lattice_.height, -own.north, own.height, image.info().rows);
    if (columns && rows) return paste_straight(image, *columns, *rows, first, stop);
  }
  paste_mapped(image, map, first, stop);
}

void Mosaic::paste_straight(const Image& image, std::int64_t column_offset, std::int64_t row_offset, int first,
                            const std::stop_token& stop) {
  // The raster's pixels that lie wholly in the image.
  Window whole;
  whole.column = ceil_divide(column_offset, step_);
  whole.row = ceil_divide(row_offset, step_);
  whole.columns = floor_divide(column_offset + image.info().columns, step_) - whole.column;
  whole.rows = floor_divide(row_offset + image.info().rows, step_) - whole.row;
  const Window common = intersection(window_, whole);
  if (common.empty()) return;
  for (std::int64_t row = common.row, height = 0; row < common.row + common.rows; row += height) {
    throw_if_stopped(stop);
    height = std::min(rows_per_strip(common), common.row + common.rows - row);
    const Window from{common.column * step_ - column_offset, row * step_ - row_offset, common.columns * step_, height * step_};
    const Pixels strip = image.read(from, step_, first, static_cast<int>(raster_.bands));
    for (std::int64_t r = 0; r < height; ++r) {
      const std::size_t source = static_cast<std::size_t>(r * common.columns);
      const std::size_t target = static_cast<std::size_t>((row - window_.row + r) * window_.columns + common.column - window_.column);
      for (std::size_t c = 0; c < static_cast<std::size_t>(common.columns); ++c) {
        if (strip.known[source + c] == 0 || raster_.known[target + c] != 0) continue;
        raster_.known[target + c] = 1;
        std::copy_n(&strip.values[(source + c) * raster_.bands], raster_.bands, &raster_.values[(target + c) * raster_.bands]);
      }
    }
  }
}

void Mosaic::paste_mapped(const Image& image, const CrsMap& map, int first, const std::stop_token& stop) {
  const auto image_columns = static_cast<double>(image.info().columns), image_rows = static_cast<double>(image.info().rows);
  // Nodes at whole multiples of their spacing, so that a place is mapped alike whatever the window.
  const std::int64_t node_column = floor_divide(window_.column, node_spacing);
  const std::int64_t node_end = floor_divide(window_.column + window_.columns - 1, node_spacing) + 2;
  const std::int64_t last_row = window_.row + window_.rows;
  for (std::int64_t row = window_.row, end = 0; row < last_row; row = end) {
    throw_if_stopped(stop);
    const std::int64_t node_row = floor_divide(row, node_spacing);
    end = std::min(last_row, (node_row + 1) * node_spacing);
    Nodes nodes{static_cast<std::size_t>(node_end - node_column), 2, {}, {}};
    for (std::int64_t r = node_row; r <= node_row + 1; ++r) {
      for (std::int64_t c = node_column; c < node_end; ++c) {
        nodes.u.push_back(lattice_.west + static_cast<double>(c * node_spacing * step_) * lattice_.width);
        nodes.v.push_back(lattice_.north - static_cast<double>(r * node_spacing * step_) * lattice_.height);
      }
    }
    map.to_pixels(nodes.u, nodes.v);

    // The part of the image that the strip needs, in whole steps.
    double left = image_columns, right = 0, top = image_rows, bottom = 0;
    for (std::size_t i = 0; i < nodes.u.size(); ++i) {
      if (std::isnan(nodes.u[i])) continue;
      left = std::min(left, nodes.u[i]);
      right = std::max(right, nodes.u[i]);
      top = std::min(top, nodes.v[i]);
      bottom = std::max(bottom, nodes.v[i]);
    }
    const auto low = [&](double at) { return floor_divide(static_cast<std::int64_t>(std::max(0.0, at)), step_) - 1; };
    const auto high = [&](double at, double limit) { return ceil_divide(static_cast<std::int64_t>(std::min(limit, at)), step_) + 2; };
    Window part{low(left), low(top), 0, 0};
    part.columns = high(right, image_columns) - part.column;
    part.rows = high(bottom, image_rows) - part.row;
    part = intersection(part, {0, 0, image.info().columns / step_, image.info().rows / step_});
    if (part.empty() || right <= 0 || bottom <= 0 || left >= image_columns || top >= image_rows) continue;
    const Pixels pixels = image.read({part.column * step_, part.row * step_, part.columns * step_, part.rows * step_}, step_, first,
                                     static_cast<int>(raster_.bands));
    const PixelView view{pixels.values.data(), pixels.known.data(), pixels.columns, pixels.rows, pixels.bands};

    for (std::int64_t r = row; r < end; ++r) {
      for (std::int64_t c = window_.column; c < window_.column + window_.columns; ++c) {
        const std::size_t target = static_cast<std::size_t>((r - window_.row) * window_.columns + c - window_.column);
        if (raster_.known[target] != 0) continue;
        const auto [u, v] =
            nodes.at(static_cast<double>(c - node_column * node_spacing) + 0.5, static_cast<double>(r - node_row * node_spacing) + 0.5);
        const double column = u / static_cast<double>(step_) - static_cast<double>(part.column);
        const double line = v / static_cast<double>(step_) - static_cast<double>(part.row);
        if (bilinear(view, column, line, &raster_.values[target * raster_.bands])) raster_.known[target] = 1;
      }
    }
  }
}

}  // namespace tuile::imagery
