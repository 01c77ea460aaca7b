// Bilinear colours against a computation of its own in doubles.
#include <algorithm>
#include <cmath>
#include <random>

#include "images.hpp"

namespace tuile::test {
namespace {

using imagery::Colours;
using imagery::Raster;

Raster random_raster(std::uint32_t columns, std::uint32_t rows, std::uint32_t bands, double west, double north, double pixel,
                     double unknown, std::uint32_t seed) {
  std::mt19937 random(seed);
  Raster raster;
  raster.west = west;
  raster.north = north;
  raster.pixel = pixel;
  raster.columns = columns;
  raster.rows = rows;
  raster.bands = bands;
  raster.values = Buffer<std::uint16_t>(std::size_t{columns} * rows * bands);
  raster.known = Buffer<std::uint8_t>(std::size_t{columns} * rows);
  for (auto& value : raster.values) value = static_cast<std::uint16_t>(random());
  for (auto& known : raster.known) known = static_cast<double>(random()) / 4294967296.0 < unknown ? 0 : 1;
  return raster;
}

/// The value of a band at a place: the sum of the pixels whose centres lie less than a pixel away, weighed by how near they are.
std::optional<double> oracle(const Raster& raster, double x, double y, std::uint32_t band) {
  const double width = raster.pixel, height = raster.row_height();
  const double east = raster.west + raster.columns * width, south = raster.north - raster.rows * height;
  if (x < raster.west - 1e-9 || x > east + 1e-9 || y > raster.north + 1e-9 || y < south - 1e-9) return std::nullopt;
  x = std::clamp(x, raster.west + width / 2, east - width / 2);
  y = std::clamp(y, south + height / 2, raster.north - height / 2);
  double sum = 0;
  for (std::uint32_t row = 0; row < raster.rows; ++row) {
    for (std::uint32_t column = 0; column < raster.columns; ++column) {
      const double weight = std::max(0.0, 1 - std::abs(x - (raster.west + (column + 0.5) * width)) / width) *
                            std::max(0.0, 1 - std::abs(y - (raster.north - (row + 0.5) * height)) / height);
      if (weight < 1e-7) continue;
      const std::size_t pixel = std::size_t{row} * raster.columns + column;
      if (raster.known[pixel] == 0) return std::nullopt;
      sum += weight * raster.values[pixel * raster.bands + band];
    }
  }
  return sum;
}

/// Random places in and around a raster, and the special ones: centres, corners and edges of pixels, the border.
std::vector<std::pair<double, double>> places_of(const Raster& raster, std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  const double width = raster.columns * raster.pixel, height = raster.rows * raster.row_height();
  std::vector<std::pair<double, double>> places;
  const auto part = [&] { return static_cast<double>(random()) / 4294967296.0; };
  for (std::size_t i = 0; i < count; ++i)
    places.emplace_back(raster.west + (part() * 1.2 - 0.1) * width, raster.north - (part() * 1.2 - 0.1) * height);
  for (std::uint32_t row = 0; row <= 2 * raster.rows; ++row) {
    for (std::uint32_t column = 0; column <= 2 * raster.columns; ++column) {
      places.emplace_back(raster.west + column * raster.pixel / 2, raster.north - row * raster.row_height() / 2);
    }
  }
  return places;
}

void expect_colours(const PointBlock& block, const Colours& colours) {
  ASSERT_TRUE(block.has_rgb() && block.has_nir());
  std::size_t known = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const double x = static_cast<double>(block.grid.origin[0] + block.units[i].x) * block.grid.scale;
    const double y = static_cast<double>(block.grid.origin[1] + block.units[i].y) * block.grid.scale;
    const std::uint16_t got[] = {block.red[i], block.green[i], block.blue[i], block.nir[i]};
    for (std::uint32_t band = 0; band < 4; ++band) {
      const auto expected = band < 3 ? oracle(colours.rgb, x, y, band) : oracle(colours.nir, x, y, 0);
      const std::uint8_t bit = band < 3 ? 1 : 2;
      EXPECT_EQ(knows(block, i, bit), expected.has_value()) << "band " << band << " at " << x << " " << y;
      if (expected) {
        EXPECT_LE(std::abs(got[band] - *expected), 0.51) << "band " << band << " at " << x << " " << y;
        ++known;
      } else {
        EXPECT_EQ(got[band], 0);
      }
    }
  }
  EXPECT_GT(known, block.size() / 4);
}

TEST(Colourise, EqualsAnOracleOnRandomRasters) {
  Executor executor(2);
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    Colours colours;
    const double pixel = seed % 2 == 0 ? 0.2 : 1.0;
    colours.rgb = random_raster(11 + seed, 9, 3, 792000.4, 6271270.8, pixel, seed < 4 ? 0.08 : 0, seed);
    colours.nir = random_raster(7, 13, 1, 792000.0, 6271271.0, 1.5 * pixel, 0.05, seed + 100);
    if (seed == 5) colours.rgb.pixel_height = 0.7;
    auto places = places_of(colours.rgb, 400, seed);
    for (const auto& place : places_of(colours.nir, 400, seed + 50)) places.push_back(place);
    PointBlock block = points_at(places);
    colourise(block, colours, both_fields, executor);
    ASSERT_EQ(block.colour_known.size(), block.size());
    expect_colours(block, colours);
  }
}

TEST(Colourise, OneRowOneColumnOnePixel) {
  Executor executor(1);
  for (const auto& [columns, rows] : {std::pair{1U, 1U}, {1U, 5U}, {5U, 1U}}) {
    Colours colours;
    colours.rgb = random_raster(columns, rows, 3, 100, 200, 0.5, 0, 7);
    colours.nir = random_raster(columns, rows, 1, 100, 200, 0.5, 0, 8);
    PointBlock block = points_at(places_of(colours.rgb, 200, 9));
    colourise(block, colours, both_fields, executor);
    expect_colours(block, colours);
  }
}

TEST(Colourise, ColoursDoNotDependOnTheWindow) {
  // The same plane of pixels, seen through two windows whose corners' doubles round differently; points at hundredths of a metre, where
  // sums of four pixels often end in exactly a half.
  const std::uint32_t size = 60;
  Colours whole;
  whole.rgb = random_raster(size, size, 3, 3960002 * 0.2, 31356354 * 0.2, 0.2, 0.01, 3);
  for (auto& value : whole.rgb.values) value = static_cast<std::uint16_t>(value / 257 * 257);
  Colours part;
  const std::uint32_t cut = 17;
  part.rgb = random_raster(size - cut, size - cut, 3, (3960002 + cut) * 0.2, (31356354 - cut) * 0.2, 0.2, 0, 4);
  for (std::uint32_t row = 0; row < size - cut; ++row) {
    for (std::uint32_t column = 0; column < size - cut; ++column) {
      const std::size_t to = std::size_t{row} * (size - cut) + column, from = std::size_t{row + cut} * size + column + cut;
      part.rgb.known[to] = whole.rgb.known[from];
      for (std::size_t b = 0; b < 3; ++b) part.rgb.values[to * 3 + b] = whole.rgb.values[from * 3 + b];
    }
  }
  std::vector<std::pair<double, double>> places;
  for (int i = 0; i < 40000; ++i) places.emplace_back(792004 + i % 200 * 0.04 + i / 200 % 4 * 0.01, 6271267.2 - i / 200 * 0.04);
  Executor executor(2);
  PointBlock a = points_at(places, 0.01), b = points_at(places, 0.01);
  colourise(a, whole, rgb_field, executor);
  colourise(b, part, rgb_field, executor);
  std::size_t known = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a.red[i], b.red[i]) << i;
    ASSERT_EQ(a.green[i], b.green[i]) << i;
    ASSERT_EQ(a.blue[i], b.blue[i]) << i;
    ASSERT_EQ(knows(a, i, 1), knows(b, i, 1)) << i;
    known += knows(a, i, 1) ? 1U : 0U;
  }
  EXPECT_GT(known, a.size() * 3 / 4);
  EXPECT_LT(known, a.size());
}

TEST(Colourise, WhatWasNotGotIsAbsent) {
  Executor executor(1);
  const auto block = [] {
    PointBlock points = points_at({{1.5, -1.5}, {2.25, -2.75}});
    for (auto member : {&PointBlock::red, &PointBlock::green, &PointBlock::blue, &PointBlock::nir})
      points.*member = Buffer<std::uint16_t>(2, 77);
    return points;
  };
  Colours colours;
  colours.rgb = random_raster(5, 5, 3, 0, 0, 1, 0, 1);

  PointBlock both = block();
  colourise(both, colours, both_fields, executor);
  EXPECT_TRUE(both.has_rgb());
  EXPECT_NE(both.red[0], 77);
  EXPECT_TRUE(both.nir.empty()) << "the file's own infrared must not stand beside the image's red";

  PointBlock red = block();
  colourise(red, colours, rgb_field, executor);
  EXPECT_TRUE(red.has_rgb());
  EXPECT_EQ(red.nir[0], 77) << "not wanted, so the file's own stays";
  EXPECT_TRUE(red.colour_known.empty()) << "all known";

  PointBlock none = block();
  colourise(none, Colours{}, both_fields, executor);
  EXPECT_TRUE(none.red.empty() && none.green.empty() && none.blue.empty() && none.nir.empty());

  PointBlock untouched = block();
  colourise(untouched, colours, {}, executor);
  EXPECT_EQ(untouched.red[0], 77);
  EXPECT_TRUE(untouched.colour_known.empty());
}

TEST(Colourise, BitsOfWhatWasNotWantedStay) {
  Executor executor(1);
  Colours infrared;
  infrared.nir = random_raster(3, 3, 1, 0, 0, 1, 0, 1);
  infrared.nir.known[0] = 0;
  Colours visible;
  visible.rgb = random_raster(3, 3, 3, 0, 0, 1, 0, 2);
  visible.rgb.known[8] = 0;
  PointBlock points = points_at({{0.5, -0.5}, {1.5, -1.5}, {2.5, -2.5}});
  colourise(points, visible, rgb_field, executor);
  colourise(points, infrared, nir_field, executor);
  ASSERT_EQ(points.colour_known.size(), 3U);
  EXPECT_EQ(points.colour_known[0], 1);
  EXPECT_EQ(points.colour_known[1], 3);
  EXPECT_EQ(points.colour_known[2], 2);
}

TEST(Colourise, RefusesRastersThatContradictThemselves) {
  Executor executor(1);
  PointBlock points = points_at({{0.5, -0.5}});
  Colours colours;
  colours.rgb = random_raster(3, 3, 1, 0, 0, 1, 0, 1);
  EXPECT_THROW(colourise(points, colours, rgb_field, executor), InvalidArgument);
  colours.rgb = random_raster(3, 3, 3, 0, 0, 1, 0, 1);
  colours.rgb.columns = 4;
  EXPECT_THROW(colourise(points, colours, rgb_field, executor), InvalidArgument);
}

TEST(Colourise, ThreadsChangeNothing) {
  Colours colours;
  colours.rgb = random_raster(200, 200, 3, 0, 0, 0.2, 0.02, 5);
  std::mt19937 random(6);
  const auto coordinate = [&] { return static_cast<double>(random() % 42000) * 0.001; };
  std::vector<std::pair<double, double>> places;
  for (int i = 0; i < 200000; ++i) places.emplace_back(coordinate(), -coordinate());
  PointBlock a = points_at(places), b = points_at(places);
  Executor one(1), two(2);
  colourise(a, colours, both_fields, one);
  colourise(b, colours, both_fields, two);
  EXPECT_TRUE(std::ranges::equal(a.red, b.red) && std::ranges::equal(a.blue, b.blue) && std::ranges::equal(a.colour_known, b.colour_known));
}

}  // namespace
}  // namespace tuile::test
