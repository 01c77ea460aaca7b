// GeoTIFFs written and read back.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "images.hpp"
#include "support/temporary_folder.hpp"

namespace tuile::test {
namespace {

std::vector<std::uint8_t> pattern(std::uint32_t columns, std::uint32_t rows, std::uint32_t bands) {
  std::vector<std::uint8_t> values(std::size_t{columns} * rows * bands);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>((i * 2654435761U) >> 13U);
  return values;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(WriteGeotiff, ReadBackByGdal) {
  const TemporaryFolder folder;
  const std::uint32_t columns = 301, rows = 523, bands = 4;
  const auto values = pattern(columns, rows, bands);
  const std::string path = folder / "four.tif";
  imagery::write_geotiff(path, values, columns, rows, bands, 792000.2, 6271270.4, 0.2, 2154);
  GDALAllRegister();
  GDALDatasetH dataset = GDALOpen(path.c_str(), GA_ReadOnly);
  ASSERT_NE(dataset, nullptr);
  std::array<double, 6> transform{};
  EXPECT_EQ(GDALGetGeoTransform(dataset, transform.data()), CE_None);
  EXPECT_EQ(transform, (std::array<double, 6>{792000.2, 0.2, 0, 6271270.4, 0, -0.2}));
  EXPECT_STREQ(OSRGetAuthorityCode(GDALGetSpatialRef(dataset), nullptr), "2154");
  ASSERT_EQ(GDALGetRasterCount(dataset), 4);
  EXPECT_NE(GDALGetRasterColorInterpretation(GDALGetRasterBand(dataset, 4)), GCI_AlphaBand);
  std::vector<std::uint8_t> read(values.size());
  ASSERT_EQ(GDALDatasetRasterIO(dataset, GF_Read, 0, 0, 301, 523, read.data(), 301, 523, GDT_Byte, 4, nullptr, 4, 4 * 301, 1), CE_None);
  EXPECT_EQ(read, values);
  GDALClose(dataset);
}

TEST(WriteGeotiff, SameInputSameBytes) {
  const TemporaryFolder folder;
  const auto values = pattern(600, 600, 3);
  const auto write = [&](const std::string& path) { imagery::write_geotiff(path, values, 600, 600, 3, 0, 120, 0.2, 2154); };
  write(folder / "a.tif");
  write(folder / "b.tif");
  write(folder / "b.tif");  // over what stands there
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&, i] { write(folder / ("t" + std::to_string(i) + ".tif")); });
  for (auto& thread : threads) thread.join();
  const std::string bytes = bytes_of(folder / "a.tif");
  EXPECT_EQ(bytes, bytes_of(folder / "b.tif"));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(bytes, bytes_of(folder / ("t" + std::to_string(i) + ".tif")));
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++files;
  EXPECT_EQ(files, 6U) << "nothing is left beside the files";
}

TEST(WriteGeotiff, RefusesWhatItCannotWrite) {
  const TemporaryFolder folder;
  const auto values = pattern(4, 4, 3);
  const auto write = [&](const std::string& path, std::uint32_t columns, int epsg) {
    imagery::write_geotiff(path, values, columns, 4, 3, 0, 0, 1, epsg);
  };
  EXPECT_THROW(write(folder / "a.tif", 5, 2154), InvalidArgument);
  EXPECT_THROW(write(folder / "a.tif", 0, 2154), InvalidArgument);
  EXPECT_THROW(write(folder / "a.tif", 4, 999999), Unsupported);
  EXPECT_THROW(write(folder / "none/a.tif", 4, 2154), NotFound);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(WriteGeotiff, RoundTripThroughTheFileSource) {
  const TemporaryFolder folder;
  const std::uint32_t columns = 40, rows = 30;
  const auto values = pattern(columns, rows, 3);
  const std::string path = folder / "ortho.tif";
  imagery::write_geotiff(path, values, columns, rows, 3, 700000, 6600006, 0.2, 2154);
  auto files = imagery::open_rasters({path});
  EXPECT_EQ(files->name(), "ortho.tif");
  EXPECT_NE(files->identity().find(path), std::string::npos);
  const auto colours = files->fetch({700000, 6600000, 700008, 6600006}, 2154, both_fields, {});
  ASSERT_EQ(colours.rgb_outcome, Outcome::data) << colours.reason;
  EXPECT_EQ(colours.nir_outcome, Outcome::failed);
  EXPECT_EQ(colours.nir.values.size(), 0U);
  EXPECT_NE(colours.reason.find("irc"), std::string::npos) << colours.reason;
  std::vector<std::pair<double, double>> centres;
  for (std::uint32_t i = 0; i < columns * rows; ++i) centres.emplace_back(700000.1 + i % columns * 0.2, 6600005.9 - i / columns * 0.2);
  PointBlock points = points_at(centres, 0.01);
  Executor executor(1);
  imagery::colourise(points, colours, rgb_field, executor);
  EXPECT_TRUE(points.colour_known.empty());
  for (std::size_t i = 0; i < points.size(); ++i) {
    ASSERT_EQ(points.red[i], values[3 * i] * 257) << i;
    ASSERT_EQ(points.green[i], values[3 * i + 1] * 257);
    ASSERT_EQ(points.blue[i], values[3 * i + 2] * 257);
  }
}

}  // namespace
}  // namespace tuile::test
