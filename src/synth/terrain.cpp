#include <algorithm>
#include <cmath>
#include <cstdint>

#include "synth/blocks.hpp"
#include "synth/random.hpp"
#include "tuile/synth/town.hpp"

namespace tuile::synth {
namespace {

double ease(double t) noexcept { return t * t * t * (t * (t * 6 - 15) + 10); }

/// Smooth noise in [-1, 1]: random values on a lattice, joined by a quintic with continuous curvature. Source: Perlin 2002.
double noise(std::uint64_t seed, double x, double y, double wavelength) noexcept {
  const double column = std::floor(x / wavelength), row = std::floor(y / wavelength);
  const double across = ease(x / wavelength - column), up = ease(y / wavelength - row);
  const auto i = static_cast<std::int64_t>(column), j = static_cast<std::int64_t>(row);
  const auto value = [&](std::int64_t a, std::int64_t b) { return 2 * unit(hash(seed, a, b)) - 1; };
  const double south = value(i, j) + (value(i + 1, j) - value(i, j)) * across;
  const double north = value(i, j + 1) + (value(i + 1, j + 1) - value(i, j + 1)) * across;
  return south + (north - south) * up;
}

double natural(const TownOptions& options, double x, double y) noexcept {
  const double east = x - options.west, north = y - options.south;
  return 160 + 0.025 * east - 0.015 * north + 6 * noise(options.seed ^ 0x11, x, y, 160) + 0.7 * noise(options.seed ^ 0x22, x, y, 35) +
         0.06 * noise(options.seed ^ 0x33, x, y, 4);
}

}  // namespace

double Town::terrain(double x, double y) const noexcept {
  const double height = natural(options, x, y);
  const Block block = block_at(x, y);
  if (kind_of(options.seed, block) != BlockKind::pond) return height;
  // A pond lies in a level place, which passes into the slope towards the block's border.
  constexpr double level_radius = 13.5, natural_radius = block_side / 2;
  const Vertex centre = block.centre();
  const double dx = x - centre.x, dy = y - centre.y;
  const double inward = (natural_radius - std::sqrt(dx * dx + dy * dy)) / (natural_radius - level_radius);
  if (inward <= 0) return height;
  return height + (natural(options, centre.x, centre.y) - height) * ease(std::min(inward, 1.0));
}

}  // namespace tuile::synth
