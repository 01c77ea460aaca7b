#include "compute/preprocess.hpp"

#include <array>
#include <limits>

namespace tuile::compute {

namespace {

/// An unsigned integer of 256 bits in limbs of 32, the lowest first.
using Wide = std::array<std::uint32_t, 8>;

/// Adds value · 2^(32 limb).
void add(Wide& to, std::uint64_t value, std::size_t limb) {
  std::uint64_t carry = 0;
  for (; limb < to.size() && (value != 0 || carry != 0); ++limb, value >>= 32U) {
    carry += to[limb] + (value & 0xffffffffU);
    to[limb] = static_cast<std::uint32_t>(carry);
    carry >>= 32U;
  }
}

Wide product(const Wide& a, const Wide& b) {
  Wide result{};
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; i + j < b.size(); ++j) add(result, std::uint64_t{a[i]} * b[j], i + j);
  }
  return result;
}

/// a − b, for a ≥ b.
Wide difference(const Wide& a, const Wide& b) {
  Wide result{};
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::uint64_t taken = b[i] + borrow;
    borrow = taken > a[i] ? 1 : 0;
    result[i] = static_cast<std::uint32_t>(a[i] - taken);
  }
  return result;
}

/// Within three roundings of it, the same on every machine.
double as_double(const Wide& value) {
  double result = 0;
  for (std::size_t i = value.size(); i-- > 0;) result = result * 0x1p32 + value[i];
  return result;
}

template <std::size_t n>
Wide joined(const std::uint64_t (&limbs)[n]) {
  Wide value{};
  for (std::size_t i = 0; i < n; ++i) add(value, limbs[i], i);
  return value;
}

}  // namespace

std::uint64_t squared_units(double radius, double scale) {
  const double units = radius / scale;
  const double squared = std::floor(units * units * (1 + 1e-12));
  return squared < 9e18 ? static_cast<std::uint64_t>(squared) : std::uint64_t{9'000'000'000'000'000'000U};
}

double outlier_threshold(const DistanceSums& sums, double deviations) {
  if (sums.count == 0) return std::numeric_limits<double>::infinity();
  const Wide count = joined({sums.count}), sum = joined(sums.sum);
  // n² × variance: n ΣS² − (ΣS)².
  const Wide spread = difference(product(count, joined(sums.squares)), product(sum, sum));
  const auto n = static_cast<double>(sums.count);
  if (spread == Wide{}) {  // all are equal: the mean must not be rounded below them
    std::uint64_t remainder = 0, quotient = 0;
    for (std::size_t i = 4; i-- > 0;) {  // the quotient has 64 bits
      remainder = remainder << 32U | sum[i];
      quotient = quotient << 32U | remainder / sums.count;
      remainder %= sums.count;
    }
    return static_cast<double>(quotient);
  }
  return as_double(sum) / n + deviations * (std::sqrt(as_double(spread)) / n);
}

}  // namespace tuile::compute
