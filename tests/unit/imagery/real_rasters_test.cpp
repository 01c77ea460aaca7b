// Orthophotos of IGN, as its service gave them, and the points that lie under them.
#include <algorithm>

#include "images.hpp"
#include "support/test_data.hpp"
#include "tuile/las/decode.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/source/byte_source.hpp"

namespace tuile::test {
namespace {

struct RealImage {
  std::string path;
  int columns = 0, rows = 0, bands = 0;
  std::array<double, 6> transform{};
  std::vector<std::uint8_t> values;  // rows × columns × bands

  explicit RealImage(const std::string& file) : path(file) {
    GDALAllRegister();
    GDALDatasetH dataset = GDALOpen(file.c_str(), GA_ReadOnly);
    if (dataset == nullptr) return;
    columns = GDALGetRasterXSize(dataset);
    rows = GDALGetRasterYSize(dataset);
    bands = GDALGetRasterCount(dataset);
    GDALGetGeoTransform(dataset, transform.data());
    values.resize(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows) * static_cast<std::size_t>(bands));
    EXPECT_EQ(GDALDatasetRasterIO(dataset, GF_Read, 0, 0, columns, rows, values.data(), columns, rows, GDT_Byte, bands, nullptr, bands,
                                  bands * columns, 1),
              CE_None);
    GDALClose(dataset);
  }
  Bounds bounds() const { return {transform[0], transform[3] + rows * transform[5], transform[0] + columns * transform[1], transform[3]}; }
};

PointBlock decode_tile(const std::string& path, Executor& executor) {
  const auto file = source::open_file(path);
  const las::FileInfo info = las::read_info(*file);
  const Buffer<std::byte> bytes = source::read_all(*file);
  return las::decode(bytes.span(), info, {}, executor).points;
}

class RealRasters : public testing::TestWithParam<const char*> {};

TEST_P(RealRasters, ValuesAtPixelCentresAreTheFiles) {
  const auto path = test_data(std::string("rasters/") + GetParam());
  if (!path) GTEST_SKIP() << "no " << GetParam() << " in the test data";
  const RealImage image(path->string());
  ASSERT_EQ(image.bands, 3);
  const bool infrared = std::string(GetParam()).find("irc") != std::string::npos;
  const FieldSet field = infrared ? nir_field : rgb_field;
  const auto source = imagery::open_rasters({image.path});
  const auto colours = source->fetch(image.bounds(), 2154, field, {});
  ASSERT_EQ(infrared ? colours.nir_outcome : colours.rgb_outcome, Outcome::data) << colours.reason;
  const imagery::Raster& raster = infrared ? colours.nir : colours.rgb;
  ASSERT_EQ(raster.columns, static_cast<std::uint32_t>(image.columns)) << "not resampled: the same pixels";
  ASSERT_EQ(raster.rows, static_cast<std::uint32_t>(image.rows));

  std::vector<std::pair<double, double>> centres;
  for (int i = 0; i < image.columns * image.rows; ++i) {
    centres.emplace_back(image.transform[0] + (i % image.columns + 0.5) * image.transform[1],
                         image.transform[3] + (i / image.columns + 0.5) * image.transform[5]);
  }
  PointBlock points = points_at(centres, 0.001);
  Executor executor(2);
  colourise(points, colours, field, executor);
  std::size_t white = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::uint8_t* const pixel = &image.values[3 * i];
    if (pixel[0] == 255 && pixel[1] == 255 && pixel[2] == 255) ++white;
    if (!knows(points, i, infrared ? 2 : 1)) continue;
    // The grid of the points (1 mm) is not that of the pixels: half a millimetre of 0.2 m, of at most 255 steps of 257.
    const double tolerance = image.transform[5] == -0.2 ? 0.5 : 0.0051 * 2 * 65535;
    ASSERT_NEAR(infrared ? points.nir[i] : points.red[i], pixel[0] * 257, tolerance) << i;
    ASSERT_NEAR(infrared ? 0 : points.blue[i], infrared ? 0 : pixel[2] * 257, tolerance) << i;
  }
  const auto unknown = static_cast<std::size_t>(std::count(raster.known.begin(), raster.known.end(), 0));
  EXPECT_EQ(unknown, std::string(GetParam()).starts_with("ign") ? white : 0U) << "these files call white no data, the others have none";
  // The pixels themselves, exactly.
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (raster.known[i] == 0) continue;
    for (std::size_t b = 0; b < raster.bands; ++b) ASSERT_EQ(raster.values[i * raster.bands + b], image.values[3 * i + b] * 257) << i;
  }
}
INSTANTIATE_TEST_SUITE_P(Ign, RealRasters,
                         testing::Values("ign-pdal-tools_color_test_data_rgb.tif", "ign-pdal-tools_color_test_data_irc.tif",
                                         "pacasam_rgb_792000_6272000-50mx100m-left-patch-0000000.tiff",
                                         "pacasam_irc_792000_6272000-50mx100m-left-patch-0000001.tiff"));

TEST(RealTile, EveryPointUnderTheImagesIsColoured) {
  const auto tile = test_data("lidarhd_more/pacasam__792000_6272000-50mx100m-left.laz");
  if (!tile) GTEST_SKIP() << "no pacasam tile in the test data";
  std::vector<std::string> paths;
  for (const char* band : {"rgb", "irc"}) {
    for (const char* patch : {"0", "1"}) {
      const auto path = test_data(std::string("rasters/pacasam_") + band + "_792000_6272000-50mx100m-left-patch-000000" + patch + ".tiff");
      if (!path) GTEST_SKIP() << "no pacasam images in the test data";
      paths.push_back(path->string());
    }
  }
  RealImage rgb[] = {RealImage(paths[0]), RealImage(paths[1])};
  Executor executor(2);
  PointBlock points = decode_tile(tile->string(), executor);
  ASSERT_GT(points.size(), 1000U);
  const GridBounds extent = points.extent();
  const double scale = points.grid.scale;
  const Bounds box{static_cast<double>(extent.min_x) * scale, static_cast<double>(extent.min_y) * scale,
                   static_cast<double>(extent.max_x) * scale, static_cast<double>(extent.max_y) * scale};
  const auto colours = imagery::open_rasters(paths)->fetch(box, 2154, both_fields, {});
  ASSERT_EQ(colours.rgb_outcome, Outcome::data) << colours.reason;
  ASSERT_EQ(colours.nir_outcome, Outcome::data) << colours.reason;
  colourise(points, colours, both_fields, executor);
  std::size_t inside = 0, known = 0, near = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double x = static_cast<double>(points.grid.origin[0] + points.units[i].x) * scale;
    const double y = static_cast<double>(points.grid.origin[1] + points.units[i].y) * scale;
    for (std::size_t n = 0; n < 2; ++n) {
      const RealImage& image = rgb[n];
      const Bounds inner = image.bounds().expanded(-0.25);
      if (!inner.contains(x, y)) continue;
      ++inside;
      if (!knows(points, i, 3)) break;
      ++known;
      // The colour lies between those of the pixels around the point; in the second image, whose rows are 0.2 mm lower and so interpolated
      // to those of the first, between those of one pixel more on each side.
      const int more = static_cast<int>(n);
      const double u = (x - image.transform[0]) / image.transform[1] - 0.5, v = (y - image.transform[3]) / image.transform[5] - 0.5;
      int low = 255, high = 0;
      for (int row = static_cast<int>(v) - more; row <= static_cast<int>(v) + 1 + more; ++row) {
        for (int column = static_cast<int>(u) - more; column <= static_cast<int>(u) + 1 + more; ++column) {
          if (row < 0 || column < 0 || row >= image.rows || column >= image.columns) continue;
          const std::size_t pixel =
              static_cast<std::size_t>(row) * static_cast<std::size_t>(image.columns) + static_cast<std::size_t>(column);
          low = std::min<int>(low, image.values[3 * pixel]);
          high = std::max<int>(high, image.values[3 * pixel]);
        }
      }
      if (points.red[i] >= low * 257 && points.red[i] <= high * 257) ++near;
      break;
    }
  }
  EXPECT_GT(inside, points.size() / 2);
  EXPECT_EQ(known, inside);
  EXPECT_EQ(near, inside);
}

}  // namespace
}  // namespace tuile::test
