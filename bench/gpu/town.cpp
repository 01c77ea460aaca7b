#include "town.hpp"

#include <algorithm>
#include <cmath>

namespace tuile::gpu_check {

namespace {

/// splitmix64: a few cycles a number.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  double between(double low, double high) { return low + (high - low) * static_cast<double>(bits() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

struct Hit {
  double z;
  std::uint8_t code;
};

/// Blocks of 20 m with a house and a tree each, on a slope.
Hit hit_at(double x, double y, Random& random) {
  const double ground = 0.1 * x - 0.05 * y + 300 * std::sin(x / 9000) * std::cos(y / 7000);
  const double u = std::fmod(x, 2000.0), v = std::fmod(y, 2000.0);
  if (u > 400 && u < 1200 && v > 400 && v < 1400) {
    const double roof = 800 - std::abs(u - 800) * 0.6;
    const bool wall = u < 425 || u > 1175;
    return {ground + (wall ? random.between(0, roof) : roof + random.between(-2, 2)), 6};
  }
  const double du = u - 1600, dv = v - 1600;
  if (du * du + dv * dv < 250.0 * 250.0) return {ground + random.between(0, 900), 5};
  return {ground + random.between(-3, 3), 2};
}

}  // namespace

PointBlock town(std::size_t points, std::int32_t side, std::uint64_t seed, const std::shared_ptr<HostMemory>& memory) {
  Random random(seed);
  PointBlock block;
  block.units = Buffer<GridPoint>(points, memory);
  block.classification = Buffer<std::uint8_t>(points, memory);
  block.intensity = Buffer<std::uint16_t>(points, memory);
  block.return_number = Buffer<std::uint8_t>(points, memory);
  block.number_of_returns = Buffer<std::uint8_t>(points, memory);
  for (Buffer<std::uint16_t>* band : {&block.red, &block.green, &block.blue, &block.nir}) *band = Buffer<std::uint16_t>(points, memory);

  constexpr double strip_width = 3000, scan_line = 50;
  const double strips = std::max(1.0, std::ceil(side / strip_width));
  const double last = std::nextafter(static_cast<double>(side), 0);
  for (std::size_t i = 0; i < points; ++i) {
    // Along the strip with i, across it at random, a scan line of jitter.
    const double flown = strips * static_cast<double>(i) / static_cast<double>(points), strip = std::floor(flown);
    const double x = std::clamp((strip + random.between(0, 1)) * (side / strips), 0.0, last);
    const double y = std::clamp((flown - strip) * side + random.between(-scan_line, scan_line), 0.0, last);
    const Hit hit = hit_at(x, y, random);
    block.units[i] = {static_cast<std::int32_t>(x), static_cast<std::int32_t>(y), static_cast<std::int32_t>(std::lround(hit.z))};
    block.classification[i] = hit.code;
    const std::uint64_t bits = random.bits();
    block.intensity[i] = static_cast<std::uint16_t>(bits);
    block.number_of_returns[i] = static_cast<std::uint8_t>(hit.code == 5 ? 3 : 1);
    block.return_number[i] = static_cast<std::uint8_t>(hit.code == 5 ? 1 + i % 3 : 1);
    block.red[i] = static_cast<std::uint16_t>(bits >> 16);
    block.green[i] = static_cast<std::uint16_t>(bits >> 32);
    block.blue[i] = static_cast<std::uint16_t>(bits >> 48);
    block.nir[i] = static_cast<std::uint16_t>((bits >> 24) | 1);
  }
  return block;
}

std::int32_t usual_side(std::size_t points) {
  return static_cast<std::int32_t>(std::lround(std::sqrt(static_cast<double>(points) / 2) * 100));
}

}  // namespace tuile::gpu_check
