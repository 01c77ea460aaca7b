// Colours from files: bands, no data, mosaics, other systems, damaged files.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <stop_token>
#include <thread>

#include "images.hpp"
#include "support/temporary_folder.hpp"

namespace tuile::test {
namespace {

using imagery::Colours;
using imagery::open_rasters;

/// An image of one colour per band.
TestImage plain(double west, double north, std::uint32_t size, double pixel, std::vector<double> colour) {
  TestImage image;
  image.columns = image.rows = size;
  image.bands = static_cast<std::uint32_t>(colour.size());
  image.transform = {west, pixel, 0, north, 0, -pixel};
  image.value = [colour](std::uint32_t, std::uint32_t, std::uint32_t band) { return colour[band]; };
  return image;
}

struct Seen {
  Colours colours;
  PointBlock points;
};

/// What the points at some places get from the files.
Seen look(const std::vector<std::string>& paths, const std::vector<std::pair<double, double>>& places, FieldSet wanted = rgb_field,
          int epsg = 2154) {
  Bounds box;
  for (const auto& [x, y] : places) box = {std::min(box.min_x, x), std::min(box.min_y, y), std::max(box.max_x, x), std::max(box.max_y, y)};
  Seen seen{open_rasters(paths)->fetch(box, epsg, wanted, {}), points_at(places)};
  Executor executor(1);
  imagery::colourise(seen.points, seen.colours, wanted, executor);
  return seen;
}

/// The error's message, its kind as asked.
template <class Wanted, class Action>
std::string message_of(Action&& action) {
  testing::internal::CaptureStderr();
  std::string message;
  try {
    action();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Wanted& error) {
    message = error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another error: " << error.what();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "GDAL must not print";
  return message;
}

TEST(RasterFiles, NamesAndBandsTellRgbFromInfrared) {
  const TemporaryFolder folder;
  const std::string rgb = plain(0, 100, 10, 1, {10, 20, 30}).write(folder / "ortho.tif");
  const std::string irc = plain(0, 100, 10, 1, {40, 50, 60}).write(folder / "ortho_IRC.tif");
  const std::string four = plain(0, 100, 10, 1, {11, 21, 31, 41}).write(folder / "four.tif");
  TestImage with_alpha = plain(0, 100, 10, 1, {12, 22, 32, 255});
  with_alpha.alpha = true;
  const std::string alpha = with_alpha.write(folder / "alpha.tif");
  const std::vector<std::pair<double, double>> place{{5, 95}};

  const Seen separate = look({rgb, irc}, place, both_fields);
  EXPECT_EQ(separate.points.red[0], 10 * 257);
  EXPECT_EQ(separate.points.green[0], 20 * 257);
  EXPECT_EQ(separate.points.blue[0], 30 * 257);
  EXPECT_EQ(separate.points.nir[0], 40 * 257);
  EXPECT_EQ(separate.colours.rgb.bands, 3U);
  EXPECT_EQ(separate.colours.nir.bands, 1U);

  const Seen together = look({four}, place, both_fields);
  EXPECT_EQ(together.points.red[0], 11 * 257);
  EXPECT_EQ(together.points.nir[0], 41 * 257);

  const Seen only_rgb = look({alpha}, place, both_fields);
  EXPECT_EQ(only_rgb.points.red[0], 12 * 257);
  EXPECT_TRUE(only_rgb.points.nir.empty()) << "alpha is no infrared";
  EXPECT_EQ(only_rgb.colours.nir_outcome, Outcome::failed);
  EXPECT_EQ(only_rgb.colours.kind, ErrorKind::not_found);

  const Seen not_wanted = look({four}, place, nir_field);
  EXPECT_EQ(not_wanted.colours.rgb_outcome, Outcome::not_requested);
  EXPECT_EQ(not_wanted.colours.rgb.values.size(), 0U);
  EXPECT_EQ(not_wanted.points.nir[0], 41 * 257);

  auto source = open_rasters({rgb, irc});
  EXPECT_EQ(source->name(), "ortho.tif, ortho_IRC.tif");
  const std::string before = source->identity();
  EXPECT_EQ(open_rasters({rgb, irc})->identity(), before);
  std::filesystem::last_write_time(irc, std::filesystem::last_write_time(irc) + std::chrono::seconds(5));
  EXPECT_NE(open_rasters({rgb, irc})->identity(), before);
}

TEST(RasterFiles, SixteenBitsAreTakenAsTheyAre) {
  const TemporaryFolder folder;
  TestImage image = plain(0, 100, 10, 1, {1000, 65535, 3});
  image.type = GDT_UInt16;
  const Seen seen = look({image.write(folder / "deep.tif")}, {{5, 95}});
  EXPECT_EQ(seen.points.red[0], 1000);
  EXPECT_EQ(seen.points.green[0], 65535);
  EXPECT_EQ(seen.points.blue[0], 3);
}

TEST(RasterFiles, NoDataAndAlphaAreUnknown) {
  const TemporaryFolder folder;
  // Column 3 holds the no-data value in every band, column 5 in one band only.
  TestImage image = plain(0, 10, 10, 1, {});
  image.bands = 3;
  image.no_data = 255;
  image.value = [](std::uint32_t column, std::uint32_t, std::uint32_t band) {
    return column == 3 || (column == 5 && band == 0) ? 255.0 : 100.0;
  };
  const std::string visible = image.write(folder / "visible.tif"), infrared = image.write(folder / "irc.tif");
  TestImage masked = plain(0, 10, 10, 1, {});
  masked.bands = 4;
  masked.alpha = true;
  masked.value = [](std::uint32_t column, std::uint32_t, std::uint32_t band) {
    return band < 3 ? 90.0 : column == 3 ? 0.0 : column == 5 ? 1.0 : 255.0;
  };
  const std::string alpha = masked.write(folder / "alpha.tif");
  const std::vector<std::pair<double, double>> places{{2.5, 5.5}, {3.5, 5.5}, {5.5, 5.5}, {2.6, 5.5}};
  for (const auto& [path, field] : {std::pair{visible, rgb_field}, {infrared, nir_field}, {alpha, rgb_field}}) {
    const Seen seen = look({path}, places, field);
    const std::uint8_t bit = field == rgb_field ? 1 : 2;
    EXPECT_TRUE(knows(seen.points, 0, bit)) << path;
    EXPECT_FALSE(knows(seen.points, 1, bit)) << path;
    EXPECT_TRUE(knows(seen.points, 2, bit)) << path;
    EXPECT_FALSE(knows(seen.points, 3, bit)) << path << ": next to a pixel without data";
  }
  EXPECT_EQ(look({infrared}, places, nir_field).points.nir[2], 65535) << "white in one band is a colour";
}

TEST(RasterFiles, WhereFilesOverlapTheFirstThatHasDataCounts) {
  const TemporaryFolder folder;
  TestImage left = plain(0, 20, 20, 1, {});
  left.bands = 3;
  left.no_data = 0;
  left.value = [](std::uint32_t, std::uint32_t row, std::uint32_t) { return row >= 10 ? 0.0 : 100.0; };  // its southern half is empty
  const std::string a = left.write(folder / "a.tif");
  const std::string b = plain(10, 20, 20, 1, {200, 200, 200}).write(folder / "b.tif");
  const std::vector<std::pair<double, double>> places{{5.5, 15.5}, {15.5, 15.5}, {15.5, 4.5}, {25.5, 15.5}, {5.5, 4.5}};
  const auto reds = [&](const std::vector<std::string>& paths) {
    const Seen seen = look(paths, places);
    std::vector<int> values;
    for (std::size_t i = 0; i < places.size(); ++i) values.push_back(knows(seen.points, i, 1) ? seen.points.red[i] / 257 : -1);
    return values;
  };
  EXPECT_EQ(reds({a, b}), (std::vector<int>{100, 100, 200, 200, -1}));
  EXPECT_EQ(reds({b, a}), (std::vector<int>{100, 200, 200, 200, -1}));
  // A coarser image whose pixels lie elsewhere fills what is left.
  const std::string c = plain(-3.3, 23.3, 12, 3, {50, 50, 50}).write(folder / "c.tif");
  EXPECT_EQ(reds({a, b, c}), (std::vector<int>{100, 100, 200, 200, 50}));
  EXPECT_EQ(reds({c, a, b}), (std::vector<int>{50, 50, 50, 50, 50}));
}

/// Red and green are the place itself, a hundredth of a value per millimetre: what a point gets tells where its pixel came from.
std::function<double(std::uint32_t, std::uint32_t, std::uint32_t)> coordinates_as_colours(const TestImage& image, double x0, double y0) {
  OGRCoordinateTransformationH way = nullptr;
  OGRSpatialReferenceH own = OSRNewSpatialReference(nullptr), lambert = OSRNewSpatialReference(nullptr);
  OSRImportFromEPSG(own, image.epsg);
  OSRImportFromEPSG(lambert, 2154);
  OSRSetAxisMappingStrategy(own, OAMS_TRADITIONAL_GIS_ORDER);
  OSRSetAxisMappingStrategy(lambert, OAMS_TRADITIONAL_GIS_ORDER);
  way = OCTNewCoordinateTransformation(own, lambert);
  OSRDestroySpatialReference(own);
  OSRDestroySpatialReference(lambert);
  const std::shared_ptr<void> owner(way, [](void* w) { OCTDestroyCoordinateTransformation(static_cast<OGRCoordinateTransformationH>(w)); });
  const auto t = image.transform;
  return [owner, way, t, x0, y0](std::uint32_t column, std::uint32_t row, std::uint32_t band) {
    double x = t[0] + (column + 0.5) * t[1] + (row + 0.5) * t[2], y = t[3] + (column + 0.5) * t[4] + (row + 0.5) * t[5];
    OCTTransform(way, 1, &x, &y, nullptr);
    return std::round(band == 0 ? 32768 + (x - x0) * 100 : band == 1 ? 32768 + (y - y0) * 100 : 5);
  };
}

void expect_coordinates(const std::string& path, double x0, double y0, double half, double tolerance) {
  std::vector<std::pair<double, double>> places;
  for (int i = 0; i < 41 * 41; ++i) places.emplace_back(x0 + (i % 41 - 20) / 20.0 * half, y0 + (i / 41 - 20) / 20.0 * half);
  const Seen seen = look({path}, places);
  ASSERT_EQ(seen.colours.rgb_outcome, Outcome::data) << seen.colours.reason;
  for (std::size_t i = 0; i < places.size(); ++i) {
    ASSERT_TRUE(knows(seen.points, i, 1)) << path << " point " << i;
    EXPECT_LE(std::abs(seen.points.red[i] - (32768 + (places[i].first - x0) * 100)), tolerance) << path << " point " << i;
    EXPECT_LE(std::abs(seen.points.green[i] - (32768 + (places[i].second - y0) * 100)), tolerance) << path << " point " << i;
    EXPECT_EQ(seen.points.blue[i], 5);
  }
}

TEST(RasterFiles, OtherSystemsAreReprojected) {
  const TemporaryFolder folder;
  const double x0 = 770575, y0 = 6277575;  // Lambert-93 of the places below; 3.8737 °E 43.5936 °N
  TestImage image;
  image.type = GDT_UInt16;
  image.columns = image.rows = 400;

  image.epsg = 4326;
  image.transform = {3.8737 - 200 * 5e-6, 5e-6, 0, 43.5936 + 200 * 4e-6, 0, -4e-6};  // 0.40 m × 0.44 m
  image.value = coordinates_as_colours(image, x0, y0);
  expect_coordinates(image.write(folder / "degrees.tif"), x0, y0, 40, 4);  // a tenth of a pixel

  image.epsg = 32631;  // UTM: turned by a degree against Lambert
  image.transform = {570540 - 120, 0.5, 0, 4827130 + 120, 0, -0.5};
  OGRSpatialReferenceH utm = OSRNewSpatialReference(nullptr), lambert = OSRNewSpatialReference(nullptr);
  OSRImportFromEPSG(utm, 32631);
  OSRImportFromEPSG(lambert, 2154);
  OSRSetAxisMappingStrategy(utm, OAMS_TRADITIONAL_GIS_ORDER);
  OSRSetAxisMappingStrategy(lambert, OAMS_TRADITIONAL_GIS_ORDER);
  OGRCoordinateTransformationH way = OCTNewCoordinateTransformation(lambert, utm);
  double x = x0, y = y0;
  OCTTransform(way, 1, &x, &y, nullptr);
  OCTDestroyCoordinateTransformation(way);
  OSRDestroySpatialReference(utm);
  OSRDestroySpatialReference(lambert);
  image.transform[0] = x - 100;
  image.transform[3] = y + 100;
  image.value = coordinates_as_colours(image, x0, y0);
  expect_coordinates(image.write(folder / "utm.tif"), x0, y0, 60, 5);

  image.epsg = 2154;  // the tile's own, but turned by 30°
  const double c = 0.5 * std::cos(0.5), s = 0.5 * std::sin(0.5);
  image.transform = {x0 - 200 * c - 200 * s, c, s, y0 - 200 * s + 200 * c, s, -c};
  image.value = coordinates_as_colours(image, x0, y0);
  expect_coordinates(image.write(folder / "turned.tif"), x0, y0, 60, 1.01);  // linear: but for rounding, nothing is lost
}

TEST(RasterFiles, ReprojectedColoursDoNotDependOnTheBox) {
  const TemporaryFolder folder;
  const double x0 = 770575, y0 = 6277575;
  TestImage image;
  image.columns = image.rows = 400;
  image.epsg = 4326;
  image.transform = {3.8737 - 200 * 5e-6, 5e-6, 0, 43.5936 + 200 * 4e-6, 0, -4e-6};
  image.value = [](std::uint32_t column, std::uint32_t row, std::uint32_t band) {
    return (column * 7919U + row * 104729U + band * 31U) % 251U;
  };
  auto source = open_rasters({image.write(folder / "noise.tif")});
  const Bounds large{x0 - 40, y0 - 40, x0 + 40, y0 + 40}, small{x0 - 7.3, y0 - 11.9, x0 + 21.7, y0 + 5.01};
  std::vector<std::pair<double, double>> places;
  for (int i = 0; i < 10000; ++i) places.emplace_back(small.min_x + i % 100 * 0.29, small.min_y + i / 100 * 0.169);
  PointBlock a = points_at(places), b = points_at(places);
  Executor executor(1);
  imagery::colourise(a, source->fetch(large, 2154, rgb_field, {}), rgb_field, executor);
  imagery::colourise(b, source->fetch(small, 2154, rgb_field, {}), rgb_field, executor);
  EXPECT_TRUE(a.colour_known.empty() && b.colour_known.empty());
  EXPECT_TRUE(std::ranges::equal(a.red, b.red) && std::ranges::equal(a.green, b.green) && std::ranges::equal(a.blue, b.blue));
}

TEST(RasterFiles, OutsideEveryImageIsAFailure) {
  const TemporaryFolder folder;
  const std::string path = plain(0, 100, 10, 1, {10, 20, 30}).write(folder / "ortho.tif");
  auto source = open_rasters({path});
  const Colours far = source->fetch({500, 500, 600, 600}, 2154, rgb_field, {});
  EXPECT_EQ(far.rgb_outcome, Outcome::failed);
  EXPECT_EQ(far.rgb.values.size(), 0U);
  EXPECT_EQ(far.kind, ErrorKind::not_found);
  EXPECT_NE(far.reason.find("500"), std::string::npos) << far.reason;
  const Colours partly = source->fetch({5, 50, 60, 95}, 2154, rgb_field, {});
  EXPECT_EQ(partly.rgb_outcome, Outcome::data);
  EXPECT_LE(partly.rgb.columns, 10U) << "nothing is held for what lies outside the image";
  EXPECT_EQ(source->fetch({}, 2154, rgb_field, {}).rgb_outcome, Outcome::failed);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(source->fetch({-infinity, -infinity, infinity, infinity}, 2154, rgb_field, {}).rgb.columns, 10U);
  const Colours nowhere = source->fetch({0, 90, 10, 100}, 999999, rgb_field, {});
  EXPECT_EQ(nowhere.rgb_outcome, Outcome::failed);
  EXPECT_NE(nowhere.reason.find("999999"), std::string::npos) << nowhere.reason;
}

TEST(RasterFiles, LargeBoxesAreReadCoarser) {
  const TemporaryFolder folder;
  TestImage image = plain(0, 40, 40, 1, {});
  image.columns = 24001;
  image.bands = 3;
  image.type = GDT_UInt16;
  image.value = [](std::uint32_t column, std::uint32_t, std::uint32_t) { return column * 2; };
  TestImage below = plain(0.5, 0, 20, 3, {});
  below.columns = 8000;
  below.bands = 3;
  below.type = GDT_UInt16;
  below.value = [](std::uint32_t column, std::uint32_t, std::uint32_t) { return column * 6; };
  const std::vector<std::pair<double, double>> places{{100, 20},    {12345, 20},  {23900, 20}, {100, -30},
                                                      {12345, -30}, {23900, -30}, {0, 0},      {24001, 40}};
  const Seen seen = look({image.write(folder / "long.tif"), below.write(folder / "below.tif")}, places);
  EXPECT_EQ(seen.colours.rgb.columns, 12001U);
  EXPECT_EQ(seen.colours.rgb.pixel, 2.0);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_TRUE(knows(seen.points, i, 1)) << i;
    EXPECT_NEAR(seen.points.red[i], 2 * places[i].first, i < 3 ? 4 : 12) << i;  // a pixel of each
  }
}

TEST(RasterFiles, BadFilesAreNamed) {
  const TemporaryFolder folder;
  const auto expect_named = [&](const std::string& path, const std::string& word) {
    const std::string message = message_of<ConfigError>([&] { open_rasters({path}); });
    EXPECT_NE(message.find(path), std::string::npos) << message;
    EXPECT_NE(message.find(word), std::string::npos) << message;
  };
  expect_named(folder.write("text.tif", "this is no image"), "GeoTIFF is expected");
  expect_named(folder.write("empty.tif", ""), "GeoTIFF is expected");
  expect_named(folder.path().string(), "GeoTIFF is expected");
  expect_named(plain(0, 10, 4, 1, {1}).write(folder / "grey.tif"), "3 are expected");
  expect_named(plain(0, 10, 4, 1, {1}).write(folder / "grey_irc.tif"), "3 are expected");
  TestImage real = plain(0, 10, 4, 1, {1, 2, 3});
  real.type = GDT_Float32;
  expect_named(real.write(folder / "float.tif"), "Float32");
  TestImage nowhere = plain(0, 10, 4, 1, {1, 2, 3});
  nowhere.transform = {};
  expect_named(nowhere.write(folder / "nowhere.tif"), "no georeference");
  const std::string absent = folder / "absent.tif";
  EXPECT_NE(message_of<NotFound>([&] { open_rasters({absent}); }).find(absent), std::string::npos);
  EXPECT_THROW(open_rasters({}), ConfigError);
  if (::geteuid() != 0) {
    const std::string locked = folder.write("locked.tif", "x");
    std::filesystem::permissions(locked, std::filesystem::perms::none);
    EXPECT_NE(message_of<PermissionDenied>([&] { open_rasters({locked}); }).find(locked), std::string::npos);
  }
}

TEST(RasterFiles, ATruncatedImageIsAFailureThatSaysSo) {
  const TemporaryFolder folder;
  std::vector<std::uint8_t> values(std::size_t{600} * 600 * 3);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>((i * 2654435761U) >> 11U);
  const std::string whole = folder / "whole.tif";
  imagery::write_geotiff(whole, values, 600, 600, 3, 0, 120, 0.2, 2154);
  std::string bytes(std::filesystem::file_size(whole), '\0');
  std::ifstream(whole, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  for (const std::size_t part : {2U, 10U, 100U}) {
    const std::string path = folder.write("cut.tif", bytes.substr(0, bytes.size() - bytes.size() / part));
    testing::internal::CaptureStderr();
    try {
      auto source = open_rasters({path});
      const Colours colours = source->fetch({0, 0, 120, 120}, 2154, rgb_field, {});
      EXPECT_EQ(colours.rgb_outcome, Outcome::failed) << part;
      EXPECT_EQ(colours.rgb.values.size(), 0U);
      EXPECT_NE(colours.reason.find(path), std::string::npos) << colours.reason;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  }
}

TEST(RasterFiles, AStoppedFetchIsCancelled) {
  const TemporaryFolder folder;
  auto source = open_rasters({plain(0, 100, 10, 1, {10, 20, 30}).write(folder / "ortho.tif")});
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(source->fetch({0, 90, 10, 100}, 2154, rgb_field, stop.get_token()), Cancelled);
}

TEST(RasterFiles, ManyThreadsShareASource) {
  const TemporaryFolder folder;
  TestImage image;
  image.columns = image.rows = 200;
  image.epsg = 4326;
  image.transform = {3.8737, 5e-6, 0, 43.5936, 0, -4e-6};
  image.value = [](std::uint32_t column, std::uint32_t row, std::uint32_t band) { return (column + row * 3 + band) % 256; };
  const auto source = open_rasters({image.write(folder / "ortho.tif")});
  const Bounds box{770575, 6277500, 770640, 6277560};
  std::vector<Colours> got(6);
  std::vector<std::jthread> threads;
  for (Colours& colours : got) threads.emplace_back([&] { colours = source->fetch(box, 2154, rgb_field, {}); });
  threads.clear();
  ASSERT_EQ(got[0].rgb_outcome, Outcome::data) << got[0].reason;
  for (const Colours& colours : got) {
    EXPECT_TRUE(std::ranges::equal(colours.rgb.values, got[0].rgb.values) && std::ranges::equal(colours.rgb.known, got[0].rgb.known));
  }
}

}  // namespace
}  // namespace tuile::test
