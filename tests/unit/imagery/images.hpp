#pragma once

#include <gdal.h>
#include <gtest/gtest.h>
#include <ogr_srs_api.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "imagery/imagery.hpp"
#include "tuile/core/point_block.hpp"

namespace tuile::test {

constexpr FieldSet rgb_field = FieldSet{static_cast<std::uint32_t>(Field::rgb)};
constexpr FieldSet nir_field = FieldSet{static_cast<std::uint32_t>(Field::nir)};
constexpr FieldSet both_fields = FieldSet{rgb_field.bits | nir_field.bits};

/// A GeoTIFF written with GDAL itself, so that files which write_geotiff never makes can be tested.
struct TestImage {
  std::uint32_t columns = 0, rows = 0, bands = 3;
  std::array<double, 6> transform{0, 1, 0, 0, 0, -1};  ///< GDAL's; all zero: none
  int epsg = 2154;                                     ///< 0: none
  GDALDataType type = GDT_Byte;
  std::optional<double> no_data;
  bool alpha = false;                                                        ///< the last band
  std::function<double(std::uint32_t, std::uint32_t, std::uint32_t)> value;  ///< of (column, row, band)

  const std::string& write(const std::string& path) const {
    GDALAllRegister();
    const char* const options[] = {alpha ? "ALPHA=YES" : "ALPHA=NO", nullptr};
    const auto width = static_cast<int>(columns), height = static_cast<int>(rows), depth = static_cast<int>(bands);
    GDALDatasetH dataset = GDALCreate(GDALGetDriverByName("GTiff"), path.c_str(), width, height, depth, type, const_cast<char**>(options));
    auto place = transform;
    if (transform[1] != 0 || transform[2] != 0) GDALSetGeoTransform(dataset, place.data());
    if (epsg != 0) {
      OGRSpatialReferenceH system = OSRNewSpatialReference(nullptr);
      OSRImportFromEPSG(system, epsg);
      OSRSetAxisMappingStrategy(system, OAMS_TRADITIONAL_GIS_ORDER);
      GDALSetSpatialRef(dataset, system);
      OSRDestroySpatialReference(system);
    }
    std::vector<double> values(std::size_t{columns} * rows);
    for (std::uint32_t band = 0; band < bands; ++band) {
      for (std::uint32_t row = 0; row < rows; ++row) {
        for (std::uint32_t column = 0; column < columns; ++column) values[std::size_t{row} * columns + column] = value(column, row, band);
      }
      GDALRasterBandH to = GDALGetRasterBand(dataset, static_cast<int>(band) + 1);
      if (no_data) GDALSetRasterNoDataValue(to, *no_data);
      EXPECT_EQ(GDALRasterIO(to, GF_Write, 0, 0, width, height, values.data(), width, height, GDT_Float64, 0, 0), CE_None);
    }
    GDALClose(dataset);
    return path;
  }
};

/// Points at absolute places (metres), on a grid of 1 mm from the first of them rounded down.
inline PointBlock points_at(const std::vector<std::pair<double, double>>& places, double scale = 0.001) {
  PointBlock block;
  block.grid.scale = scale;
  block.units = Buffer<GridPoint>(places.size());
  block.classification = Buffer<std::uint8_t>(places.size(), 1);
  if (places.empty()) return block;
  block.grid.origin = {std::llround(places[0].first / scale), std::llround(places[0].second / scale), 0};
  for (std::size_t i = 0; i < places.size(); ++i) {
    block.units[i] = {static_cast<std::int32_t>(std::llround(places[i].first / scale) - block.grid.origin[0]),
                      static_cast<std::int32_t>(std::llround(places[i].second / scale) - block.grid.origin[1]), 0};
  }
  return block;
}

inline bool knows(const PointBlock& block, std::size_t i, std::uint8_t bits) {
  return block.colour_known.empty() || (block.colour_known[i] & bits) == bits;
}

}  // namespace tuile::test
