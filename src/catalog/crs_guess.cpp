#include "catalog/crs_guess.hpp"

#include <array>
#include <cmath>
#include <filesystem>
#include <string_view>
#include <utility>

#include "tuile/core/error.hpp"

namespace tuile::catalog {

namespace {

/// Projection codes in the names of LiDAR HD tiles.
constexpr std::array<std::pair<std::string_view, int>, 6> name_codes{
    {{"LAMB93", 2154}, {"LA93", 2154}, {"RGAF09UTM20", 5490}, {"RGR92UTM40S", 2975}, {"RGM23UTM38S", 10674}, {"RGFG95UTM22", 2972}}};

int epsg_from_name(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  for (const auto& [code, epsg] : name_codes) {
    if (name.find(code) != std::string::npos) return epsg;
  }
  return 0;
}

/// A file without a CRS whose coordinates can only be longitudes and latitudes: inside ±180, ±90 and finer than 10 µm.
bool looks_geographic(const las::FileInfo& info) {
  const las::Header& h = info.header;
  return h.point_count > 0 && std::abs(h.min[0]) <= 180 && std::abs(h.max[0]) <= 180 && std::abs(h.min[1]) <= 90 &&
         std::abs(h.max[1]) <= 90 && h.scale[0] < 1e-5 && h.scale[1] < 1e-5;
}

}  // namespace

void settle_crs(TileEntry& entry, const las::FileInfo& info, int forced) {
  const bool degrees = forced == 0 && (info.crs.geographic || (!info.crs.known() && looks_geographic(info)));
  if (degrees) {
    throw Unsupported(entry.path + ": coordinates are in degrees" + (info.crs.name.empty() ? "" : " (" + info.crs.name + ")") +
                      ", but features need metres; reproject the tile first, or give its true EPSG code with crs:");
  }
  entry.epsg = forced != 0 ? forced : info.crs.epsg;
  entry.crs_name = forced != 0 ? "" : info.crs.name;
  entry.crs_unit = info.crs.horizontal_unit;
  if (entry.epsg != 0) return;
  entry.epsg = epsg_from_name(entry.path);
  if (entry.epsg != 0) {
    entry.warnings.push_back("the file states no EPSG code; EPSG:" + std::to_string(entry.epsg) + " is taken from its name");
  } else if (!info.crs.known()) {
    entry.warnings.emplace_back("the file states no CRS; its coordinates are taken for metres (set crs: to name it)");
  }
}

}  // namespace tuile::catalog
