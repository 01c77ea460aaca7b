#include <cmath>
#include <cstdint>

#include "synth/random.hpp"
#include "tuile/synth/town.hpp"

namespace tuile::synth {
namespace {

/// Smooth noise in [-1, 1]: random values on a lattice, joined by a quintic with continuous curvature. Source: Perlin 2002.
double noise(std::uint64_t seed, double x, double y, double wavelength) noexcept {
  const double column = std::floor(x / wavelength), row = std::floor(y / wavelength);
  const auto ease = [](double t) { return t * t * t * (t * (t * 6 - 15) + 10); };
  const double across = ease(x / wavelength - column), up = ease(y / wavelength - row);
  const auto i = static_cast<std::int64_t>(column), j = static_cast<std::int64_t>(row);
  const auto value = [&](std::int64_t a, std::int64_t b) { return 2 * unit(hash(seed, a, b)) - 1; };
  const double south = value(i, j) + (value(i + 1, j) - value(i, j)) * across;
  const double north = value(i, j + 1) + (value(i + 1, j + 1) - value(i, j + 1)) * across;
  return south + (north - south) * up;
}

}  // namespace

double Town::terrain(double x, double y) const noexcept {
  const double east = x - options.west, north = y - options.south;
  return 160 + 0.025 * east - 0.015 * north + 6 * noise(options.seed ^ 0x11, x, y, 160) + 0.7 * noise(options.seed ^ 0x22, x, y, 35) +
         0.06 * noise(options.seed ^ 0x33, x, y, 4);
}

}  // namespace tuile::synth
