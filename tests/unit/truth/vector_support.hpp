#pragma once

#include <cpl_error.h>
#include <gdal.h>
#include <gdal_utils.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "tuile/core/bounds.hpp"

namespace tuile::test {

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// ogr2ogr.
inline void translate(const std::string& from, const std::string& to, std::vector<std::string> options) {
  GDALAllRegister();
  CPLPushErrorHandler(&CPLQuietErrorHandler);
  std::vector<char*> list;
  for (std::string& option : options) list.push_back(option.data());
  list.push_back(nullptr);
  GDALVectorTranslateOptions* parsed = GDALVectorTranslateOptionsNew(list.data(), nullptr);
  GDALDatasetH source = GDALOpenEx(from.c_str(), GDAL_OF_VECTOR, nullptr, nullptr, nullptr);
  GDALDatasetH result = source != nullptr ? GDALVectorTranslate(to.c_str(), nullptr, 1, &source, parsed, nullptr) : nullptr;
  const bool done = result != nullptr;
  if (result != nullptr) GDALClose(result);
  if (source != nullptr) GDALClose(source);
  GDALVectorTranslateOptionsFree(parsed);
  CPLPopErrorHandler();
  if (!done) throw std::runtime_error("cannot translate " + from + " to " + to);
}

/// The bounding boxes in a .shp file, by the published layout of its records: an oracle that knows no GDAL.
inline std::vector<Bounds> shapefile_boxes(const std::string& path) {
  const std::string bytes = bytes_of(path);
  std::vector<Bounds> boxes;
  for (std::size_t at = 100; at + 12 <= bytes.size();) {
    std::uint32_t words = 0;
    for (std::size_t i = 0; i < 4; ++i) words = words << 8 | static_cast<unsigned char>(bytes[at + 4 + i]);
    std::uint32_t type = 0;
    std::memcpy(&type, bytes.data() + at + 8, 4);
    Bounds box;
    if (type != 0) std::memcpy(&box, bytes.data() + at + 12, sizeof box);
    if (type != 0) boxes.push_back(box);
    at += 8 + std::size_t{words} * 2;
  }
  return boxes;
}

/// The places of a polygon, multipolygon or line in WKB as this module writes it (little-endian ISO), in order.
inline std::vector<double> places_of(const std::string& wkb, std::size_t& at) {
  std::vector<double> places;
  const auto word = [&] {
    std::uint32_t value = 0;
    std::memcpy(&value, wkb.data() + at, 4);
    at += 4;
    return value;
  };
  at += 1;
  const std::uint32_t code = word();
  const std::size_t dimensions = 2 + (code / 1000 == 3 ? 2 : code / 1000 > 0 ? 1 : 0);
  const std::uint32_t type = code % 1000;
  const std::uint32_t parts = type == 2 ? 1 : word();
  for (std::uint32_t part = 0; part < parts; ++part) {
    if (type > 3) {
      const std::vector<double> inner = places_of(wkb, at);
      places.insert(places.end(), inner.begin(), inner.end());
      continue;
    }
    for (std::uint32_t count = word(); count > 0; --count) {
      double place[2];
      std::memcpy(place, wkb.data() + at, sizeof place);
      places.insert(places.end(), place, place + 2);
      at += dimensions * sizeof(double);
    }
  }
  return places;
}
inline std::vector<double> places_of(const std::string& wkb) {
  std::size_t at = 0;
  return places_of(wkb, at);
}

}  // namespace tuile::test
