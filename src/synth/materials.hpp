#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "synth/random.hpp"

namespace tuile::synth {

enum class Material : std::uint8_t { grass, soil, asphalt, tiles, gravel, facade, water, leaves, metal, noise, clay };

/// What a laser (intensity, 16 bits, of a full return) and a camera (8 bits) see of a material.
struct Appearance {
  double intensity, red, green, blue, nir;
};

inline const Appearance& appearance(Material material) noexcept {
  static constexpr std::array<Appearance, 11> all{{
      {1500, 95, 118, 70, 190},    // grass
      {1250, 140, 118, 92, 150},   // soil
      {420, 88, 88, 92, 80},       // asphalt
      {1050, 168, 92, 70, 130},    // tiles
      {900, 150, 148, 142, 138},   // gravel
      {1100, 205, 196, 180, 180},  // facade
      {90, 48, 66, 72, 18},        // water
      {800, 62, 92, 50, 205},      // leaves
      {600, 120, 122, 126, 112},   // metal
      {60, 128, 128, 128, 128},    // noise
      {1000, 172, 104, 78, 140},   // clay
  }};
  return all[static_cast<std::size_t>(material)];
}

/// A value seen through a sensor's noise, scaled to 16 bits.
inline std::uint16_t seen(double value, double scale, Random& random) noexcept {
  return static_cast<std::uint16_t>(std::clamp(value * scale * (1 + 0.06 * random.normal()), 1.0, 65535.0));
}

}  // namespace tuile::synth
