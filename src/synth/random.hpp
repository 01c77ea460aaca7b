#pragma once

#include <cstdint>

namespace tuile::synth {

/// Mixes 64 bits so that neighbouring inputs give unrelated outputs. Source: the finaliser of splitmix64, Steele et al. 2014.
constexpr std::uint64_t mix(std::uint64_t bits) noexcept {
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9U;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBU;
  return bits ^ (bits >> 31);
}

constexpr std::uint64_t hash(std::uint64_t seed, std::int64_t a, std::int64_t b = 0, std::int64_t c = 0) noexcept {
  constexpr std::uint64_t step = 0x9E3779B97F4A7C15U;
  std::uint64_t bits = mix(seed + step);
  bits = mix(bits ^ (static_cast<std::uint64_t>(a) * step));
  bits = mix(bits + static_cast<std::uint64_t>(b) * step);
  return mix(bits ^ (static_cast<std::uint64_t>(c) * step + step));
}

/// [0, 1) from the upper 53 bits.
constexpr double unit(std::uint64_t bits) noexcept { return static_cast<double>(bits >> 11) * 0x1p-53; }

/// Draws in sequence from one place's hash: integer arithmetic and exact scalings only, so the same on every machine.
class Random {
 public:
  explicit constexpr Random(std::uint64_t state) noexcept : state_(state) {}
  constexpr std::uint64_t bits() noexcept { return mix(state_ += 0x9E3779B97F4A7C15U); }
  constexpr double uniform() noexcept { return unit(bits()); }
  constexpr double uniform(double low, double high) noexcept { return low + (high - low) * uniform(); }
  constexpr bool chance(double probability) noexcept { return uniform() < probability; }
  /// Nearly normal, mean 0, deviation 1: the sum of four uniforms of 16 bits each. Never beyond ±3.5.
  constexpr double normal() noexcept {
    const std::uint64_t four = bits();
    const std::uint64_t sum = (four & 0xFFFFU) + ((four >> 16) & 0xFFFFU) + ((four >> 32) & 0xFFFFU) + (four >> 48);
    return (static_cast<double>(sum) - 131070.0) * (1.7320508075688772 / 65536.0);
  }

 private:
  std::uint64_t state_;
};

}  // namespace tuile::synth
