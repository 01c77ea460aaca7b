#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "tuile/core/executor.hpp"
#include "write/npz_sink.hpp"
#include "write/sidecar.hpp"

namespace tuile::test {

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_file(const std::filesystem::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

/// Exit status of a Python program; 77 means that Python or a module that it needs is not there.
inline int run_python(const std::string& program, const std::string& arguments) {
  const TemporaryFolder folder;
  write_file(folder / "program.py", program);
  const int status = std::system(("/usr/bin/python3 " + (folder / "program.py") + " " + arguments).c_str());
  if (!WIFEXITED(status)) return -1;
  return WEXITSTATUS(status) == 127 ? 77 : WEXITSTATUS(status);
}

/// Rows with values that tell which row and column they are.
struct SampleTile {
  write::TileLayout layout;
  std::vector<GridPoint> units;
  std::vector<std::uint8_t> classification, valid;
  std::vector<float> features;

  explicit SampleTile(std::size_t points, std::size_t columns = 3, bool with_valid = true) {
    layout.points = points;
    layout.grid = {0.01, {77000000, 627700000, 1000}};
    for (std::size_t j = 0; j < columns; ++j) layout.feature_names.push_back("feature_" + std::to_string(j));
    layout.valid = with_valid;
    std::mt19937 random(7);
    for (std::size_t i = 0; i < points; ++i) {
      units.push_back({static_cast<std::int32_t>(random() % 100000), static_cast<std::int32_t>(random() % 100000),
                       static_cast<std::int32_t>(i % 5000) - 100});
      classification.push_back(static_cast<std::uint8_t>(random() % 256));
      if (with_valid) valid.push_back(static_cast<std::uint8_t>(random() % 2));
      for (std::size_t j = 0; j < columns; ++j) features.push_back(static_cast<float>(i) + static_cast<float>(j) * 0.25F);
    }
    if (points > 1 && columns > 0) features[columns] = std::numeric_limits<float>::quiet_NaN();
  }
  write::RowBlock rows(std::size_t first, std::size_t count) const {
    const std::size_t f = layout.feature_names.size();
    write::RowBlock block;
    block.first_row = first;
    block.units = std::span(units).subspan(first, count);
    block.classification = std::span(classification).subspan(first, count);
    block.features = std::span(features).subspan(first * f, count * f);
    if (layout.valid) block.valid = std::span(valid).subspan(first, count);
    return block;
  }
};

inline write::Sidecar sample_sidecar() {
  write::Sidecar sidecar;
  sidecar.version = "0.1.0";
  sidecar.config_hash = "0123456789abcdef";
  sidecar.backend = "cpu";
  sidecar.device = "cpu, AVX2";
  sidecar.input = {"in/tile \"é\".laz", 123456789012, 1700000000123456789};
  sidecar.input_points = 10;
  sidecar.input_bounds = {770500.0, 6277500.01, 770541.68, 6277550.0};
  sidecar.crs_epsg = 2154;
  sidecar.crs_name = "RGF93 / Lambert-93";
  sidecar.halo_width = 10;
  sidecar.halo_used = {{"in/east.laz", 5, 6}, {"in/west.laz", 7, -8}};
  sidecar.halo_missing.resize(1);
  sidecar.halo_missing[0].file = {"in/north.laz", 1, 2};
  sidecar.halo_missing[0].reason = "truncated";
  sidecar.halo_missing[0].kind = "corrupt";
  sidecar.grid_scale = 0.01;
  sidecar.rounded = true;
  sidecar.rows = 10;
  sidecar.valid_points = 9;
  sidecar.invalid_points = 1;
  sidecar.degenerate_neighbourhoods = 3;
  sidecar.truncated_neighbourhoods = 4;
  sidecar.features = {{"planarity", 0.1, 1.0 / 3.0, 1.0, 1}, {"ndvi", std::nan(""), std::nan(""), std::nan(""), 10}};
  sidecar.missing_columns = {"ndvi"};
  sidecar.warnings = {"line one\nline two"};
  sidecar.outputs = {{"tile.npz", 1234, "xxh3:0123456789abcdef"}};
  return sidecar;
}

/// sample_sidecar() with ground truth of every outcome and imagery.
inline write::Sidecar labelled_sidecar() {
  write::Sidecar sidecar = sample_sidecar();
  sidecar.preprocess = write::PreprocessReport{1, 2, 3, 4};
  write::GroundTruthReport& truth = sidecar.ground_truth;
  truth.source = "bdtopo \"é\".gpkg";
  truth.edition = "V3 2026-06-15";
  truth.labelled = true;
  truth.layers = {{"batiment", Outcome::data, 12, 3, 7, "", ""},
                  {"cimetiere", Outcome::confirmed_empty, 0, 0, 0, "", ""},
                  {"troncon_de_route", Outcome::truncated, 5000, 0, 0, "more than 5000 objects", "unsupported"},
                  {"surface_hydrographique", Outcome::failed, 0, 0, 0, "no answer within 60 s", "timeout"},
                  {"zone_de_vegetation", Outcome::not_requested, 0, 0, 0, "", ""}};
  truth.from_file = 2;
  truth.from_ndvi = 1;
  truth.classes = {{1, 2}, {6, 7}, {70, 1}};
  sidecar.imagery = {"wms", true, Outcome::data, Outcome::failed, 4, 0, "white image", "io"};
  return sidecar;
}

}  // namespace tuile::test
