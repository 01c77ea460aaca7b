#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "tuile/compute/backend.hpp"
#include "tuile/core/point_block.hpp"

namespace tuile::test {

struct Cloud {
  std::vector<GridPoint> points;
  std::vector<std::uint8_t> classes;
};

inline PointBlock block_of(const Cloud& cloud, double scale = 0.01, std::array<std::int64_t, 3> origin = {0, 0, 0}) {
  PointBlock block;
  block.grid = {scale, origin};
  block.units = Buffer<GridPoint>(cloud.points.size());
  block.classification = Buffer<std::uint8_t>(cloud.points.size());
  for (std::size_t i = 0; i < cloud.points.size(); ++i) {
    block.units[i] = cloud.points[i];
    block.classification[i] = i < cloud.classes.size() ? cloud.classes[i] : std::uint8_t{1};
  }
  return block;
}

/// The block with intensity, returns and colours.
inline PointBlock coloured(PointBlock block) {
  const std::size_t n = block.size();
  block.intensity = Buffer<std::uint16_t>(n);
  block.return_number = Buffer<std::uint8_t>(n);
  block.number_of_returns = Buffer<std::uint8_t>(n);
  block.red = Buffer<std::uint16_t>(n);
  block.green = Buffer<std::uint16_t>(n);
  block.blue = Buffer<std::uint16_t>(n);
  block.nir = Buffer<std::uint16_t>(n);
  for (std::size_t i = 0; i < n; ++i) {
    block.intensity[i] = static_cast<std::uint16_t>(i * 7);
    block.return_number[i] = static_cast<std::uint8_t>(1 + i % 3);
    block.number_of_returns[i] = 3;
    block.red[i] = static_cast<std::uint16_t>(i % 5 == 0 ? 0 : i * 131);
    block.green[i] = static_cast<std::uint16_t>(i * 137);
    block.blue[i] = static_cast<std::uint16_t>(i * 139);
    block.nir[i] = static_cast<std::uint16_t>(i % 5 == 0 ? 0 : i * 149);
  }
  return block;
}

/// Slope, gabled roofs with walls, trees: `count` points over `side` units squared, 1 cm units. Ground is class 2.
inline Cloud town(std::size_t count, std::int32_t side, std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto uniform = [&](double low, double high) { return low + (high - low) * (static_cast<double>(random()) / 4294967296.0); };
  Cloud cloud;
  while (cloud.points.size() < count) {
    const double x = uniform(0, side), y = uniform(0, side);
    const double ground = 0.1 * x - 0.05 * y;
    const double u = std::fmod(x, 2000.0), v = std::fmod(y, 2000.0);
    double z = ground + uniform(-3, 3);
    std::uint8_t code = 2;
    if (u > 400 && u < 1200 && v > 400 && v < 1400) {
      const double roof = 800 - std::abs(u - 800) * 0.6;
      const bool wall = u < 425 || u > 1175;
      z = ground + (wall ? uniform(0, roof) : roof + uniform(-2, 2));
      code = 6;
    } else if (std::hypot(u - 1600, v - 1600) < 250) {
      z = ground + uniform(0, 900);
      code = 5;
    }
    cloud.points.push_back({static_cast<std::int32_t>(x), static_cast<std::int32_t>(y), static_cast<std::int32_t>(std::lround(z))});
    cloud.classes.push_back(code);
  }
  return cloud;
}

inline compute::TileInput tile_of(const PointBlock& core, const PointBlock* halo = nullptr) {
  compute::TileInput tile;
  tile.core = &core;
  tile.halo = halo;
  return tile;
}

}  // namespace tuile::test
