#include "tuile/synth/town.hpp"

#include <cmath>
#include <filesystem>
#include <string>
#include <tuple>
#include <utility>

#include "synth/planner.hpp"
#include "tuile/core/error.hpp"

namespace tuile::synth {
namespace {

constexpr double largest_area = 4e8;  ///< m², of a town: all its objects are in memory

void require(bool holds, const std::string& name, const std::string& value, const std::string& expected) {
  if (!holds) throw InvalidArgument("town option " + name + " is " + value + "; " + expected);
}

void check(const TownOptions& options) {
  const auto whole = [](double value) { return std::abs(value - std::round(value)) < 1e-6; };
  for (const auto& [name, tiles] : {std::pair{"tiles_x", options.tiles_x}, std::pair{"tiles_y", options.tiles_y}}) {
    require(tiles >= 1 && tiles <= 1000, name, std::to_string(tiles), "1 to 1000 is expected");
  }
  require(options.size >= 1 && options.size <= 10000 && whole(options.size * 100), "size", std::to_string(options.size),
          "1 to 10000 metres in whole centimetres are expected");
  require(options.density >= 0.1 && options.density <= 1000, "density", std::to_string(options.density),
          "0.1 to 1000 pulses per m² are expected");
  require(options.point_format == 6 || options.point_format == 8, "point_format", std::to_string(options.point_format),
          "6 or 8 is expected");
  const double area = options.size * options.size * options.tiles_x * options.tiles_y;
  require(area <= largest_area, "size", std::to_string(options.size), "a town may have 400 km²: ask for fewer or smaller tiles");
  for (const auto& [name, corner, tiles] :
       {std::tuple{"west", options.west, options.tiles_x}, std::tuple{"south", options.south, options.tiles_y}}) {
    require(whole(corner), name, std::to_string(corner), "whole metres are expected");
    // Coordinates are 32-bit centimetres.
    require(std::abs(corner) <= 2e7 && std::abs(corner + tiles * options.size) <= 2e7, name, std::to_string(corner),
            "the town must lie within 20 000 km of coordinate 0: make it smaller or move it");
  }
}

}  // namespace

std::array<Vertex, 4> Solid::footprint() const noexcept {
  const auto corner = [&](double u, double v) {
    return Vertex{centre.x + u * half_length * axis.x - v * half_width * axis.y,
                  centre.y + u * half_length * axis.y + v * half_width * axis.x};
  };
  return {corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)};
}

Bounds Town::bounds() const noexcept {
  return {options.west, options.south, options.west + options.tiles_x * options.size, options.south + options.tiles_y * options.size};
}

Town make_town(const TownOptions& options) {
  check(options);
  return Planner(options).plan();
}

TownPaths town_paths(const TownOptions& options, const std::string& directory) {
  const std::filesystem::path folder = directory;
  TownPaths paths;
  for (int y = 0; y < options.tiles_y; ++y) {
    for (int x = 0; x < options.tiles_x; ++x) {
      const std::string name = "town_" + std::to_string(x) + "_" + std::to_string(y);
      paths.tiles.push_back((folder / "tiles" / (name + ".laz")).string());
      paths.classes.push_back((folder / "classes" / (name + ".npy")).string());
    }
  }
  paths.ground_truth = (folder / "bdtopo.gpkg").string();
  paths.ortho_rgb = (folder / "ortho_rgb.tif").string();
  paths.ortho_irc = (folder / "ortho_irc.tif").string();
  return paths;
}

}  // namespace tuile::synth
