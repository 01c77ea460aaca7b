#pragma once

#include <cmath>
#include <cstdint>

#include "features/formulas.hpp"

namespace tuile::compute {

/// The definitions of the filters that both backends share: exact integers wherever an order of summing could show.

/// The largest squared distance that a radius admits, units². The margin lets a radius of 0.3 m reach points at exactly 30 units of 1 cm.
std::uint64_t squared_units(double radius, double scale);

/// An integer of 128 bits, its upper and lower half, rounded to the nearest double. high < 2^61
TUILE_HD double nearest_double(std::uint64_t high, std::uint64_t low) {
  if (high == 0) return static_cast<double>(low);
  // What is shifted out only says on which side of a tie the rest lies.
  std::uint64_t lost = 0;
  double unit = 1.0;
  while (high != 0) {
    lost |= low & 1U;
    low = low >> 1U | high << 63U;
    high >>= 1U;
    unit *= 2.0;
  }
  return static_cast<double>(low | lost) * unit;
}

/// 256 times the distance, units, rounded down: sums of these are the same in any order. d2: the exact squared distance, units².
/// Rounding of the square root shows nowhere below 2^53.
TUILE_HD std::uint64_t quantised_distance(double d2) { return static_cast<std::uint64_t>(256.0 * std::sqrt(d2)); }

/// What a threshold is made of: exact sums of any number of points below 2^32. Limbs of 32 bits are summed apart, each in 64 bits, so that
/// points may be added in any order, by atomic additions too.
struct DistanceSums {
  std::uint64_t count;
  std::uint64_t sum[2];      ///< Σ S: limb i counts 2^(32 i)
  std::uint64_t squares[4];  ///< Σ S²
};

/// Adds a point. distances: the sum S of the quantised distances to its neighbours
TUILE_HD void add_distances(DistanceSums& to, std::uint64_t distances) {
  constexpr std::uint64_t limb = 0xffffffffU;
  const std::uint64_t low = distances & limb, high = distances >> 32U;
  const std::uint64_t ll = low * low, hl = high * low, hh = high * high;
  const std::uint64_t middle = (ll >> 32U) + 2 * (hl & limb);
  const std::uint64_t upper = (middle >> 32U) + 2 * (hl >> 32U) + (hh & limb);
  to.count += 1;
  to.sum[0] += low;
  to.sum[1] += high;
  to.squares[0] += ll & limb;
  to.squares[1] += middle & limb;
  to.squares[2] += upper & limb;
  to.squares[3] += (upper >> 32U) + (hh >> 32U);
}

TUILE_HD void join_sums(DistanceSums& to, const DistanceSums& from) {
  to.count += from.count;
  for (int i = 0; i < 2; ++i) to.sum[i] += from.sum[i];
  for (int i = 0; i < 4; ++i) to.squares[i] += from.squares[i];
}

/// Mean + deviations × standard deviation (÷ n) of the S that were added; infinite where none was, exactly S where all are equal.
double outlier_threshold(const DistanceSums& sums, double deviations);

TUILE_HD bool is_outlier(std::uint64_t distances, double threshold) { return static_cast<double>(distances) > threshold; }

}  // namespace tuile::compute
