// What both backends share of preprocessing, against wide integers.
#include "compute/preprocess.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "compute/cells.hpp"

namespace tuile::test {
namespace {

using compute::DistanceSums;
__extension__ using Wide = unsigned __int128;

TEST(Preprocess, DoublesOfWideIntegersAreNearest) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t high = random() >> (3 + random() % 61), low = random() >> random() % 64;
    const Wide value = Wide{high} << 64U | low;
    ASSERT_EQ(compute::nearest_double(high, low), static_cast<double>(value));
  }
  // Ties, and just above and below them.
  for (const std::uint64_t low : {0U, 1U, 0x400U, 0x7ffU, 0x800U, 0x801U, 0xc00U, 0x1800U, 0x1801U}) {
    for (const std::uint64_t high : {0U, 1U, 2U, 3U}) {
      ASSERT_EQ(compute::nearest_double(high, low), static_cast<double>(Wide{high} << 64U | low));
    }
  }
}

TEST(Preprocess, QuantisedDistances) {
  EXPECT_EQ(compute::quantised_distance(0), 0U);
  EXPECT_EQ(compute::quantised_distance(1), 256U);
  EXPECT_EQ(compute::quantised_distance(2), 362U);
  EXPECT_EQ(compute::quantised_distance(9), 768U);
  std::mt19937_64 random(2);
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t d2 = random() >> (12 + random() % 50);
    const Wide root = compute::quantised_distance(static_cast<double>(d2)), value = Wide{d2} << 16U;
    ASSERT_LE(root * root, value);
    ASSERT_GT((root + 1) * (root + 1), value);
  }
}

TEST(Preprocess, SquaredUnits) {
  EXPECT_EQ(compute::squared_units(0.3, 0.01), 900U);
  EXPECT_EQ(compute::squared_units(0.07, 0.01), 49U);
  EXPECT_EQ(compute::squared_units(1e30, 0.01), 9'000'000'000'000'000'000U);
}

TEST(Preprocess, SumsAreExact) {
  std::mt19937_64 random(3);
  for (const unsigned bits : {1U, 20U, 32U, 33U, 57U, 64U}) {
    DistanceSums sums{}, one{}, two{};
    Wide sum = 0;
    long double squares = 0;
    for (int i = 0; i < 5000; ++i) {
      const std::uint64_t s = random() >> (64 - bits);
      compute::add_distances(i % 3 == 0 ? one : two, s);
      sum += s;
      squares += static_cast<long double>(s) * static_cast<long double>(s);
    }
    compute::join_sums(sums, one);
    compute::join_sums(sums, two);
    EXPECT_EQ(sums.count, 5000U);
    EXPECT_TRUE(Wide{sums.sum[0]} + (Wide{sums.sum[1]} << 32U) == sum);
    long double got = 0;
    for (int limb = 3; limb >= 0; --limb) got = got * 0x1p32L + static_cast<long double>(sums.squares[limb]);
    EXPECT_NEAR(static_cast<double>(got / squares), 1, 1e-15);
  }
  DistanceSums largest{};
  compute::add_distances(largest, std::numeric_limits<std::uint64_t>::max());
  const Wide square = Wide{std::numeric_limits<std::uint64_t>::max()} * std::numeric_limits<std::uint64_t>::max();
  for (unsigned limb = 0; limb < 4; ++limb)
    EXPECT_EQ(largest.squares[limb], static_cast<std::uint64_t>(square >> (32 * limb)) & 0xffffffffU);
}

TEST(Preprocess, Threshold) {
  EXPECT_EQ(compute::outlier_threshold({}, 2), std::numeric_limits<double>::infinity());
  std::mt19937_64 random(4);
  for (const unsigned bits : {4U, 17U, 40U, 57U}) {
    DistanceSums sums{};
    std::vector<long double> values;
    for (int i = 0; i < 1000; ++i) {
      const std::uint64_t s = random() >> (64 - bits);
      compute::add_distances(sums, s);
      values.push_back(static_cast<long double>(s));
    }
    long double mean = 0, variance = 0;
    for (const long double v : values) mean += v / 1000;
    for (const long double v : values) variance += (v - mean) * (v - mean) / 1000;
    const double expected = static_cast<double>(mean + 1.7L * std::sqrt(variance));
    EXPECT_NEAR(compute::outlier_threshold(sums, 1.7) / expected, 1, 1e-14);
  }
}

TEST(Preprocess, ThresholdOfEqualValuesIsThatValue) {
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{7}, (std::uint64_t{1} << 40U) + 1, (std::uint64_t{1} << 53U) + 2}) {
    DistanceSums sums{};
    for (int i = 0; i < 1'048'577; ++i) compute::add_distances(sums, value);
    const double threshold = compute::outlier_threshold(sums, 5);
    EXPECT_EQ(threshold, static_cast<double>(value));
    EXPECT_FALSE(compute::is_outlier(value, threshold));
  }
}

TEST(Cells, WholeUnitsDivideExactly) {
  std::mt19937_64 random(5);
  for (const double size : {0.01, 0.5, 0.07, 1000.0}) {
    const auto units = static_cast<std::int64_t>(std::llround(size / 0.01));
    for (const std::int64_t origin : {std::int64_t{0}, std::int64_t{-13}, std::int64_t{680'000'000'000}}) {
      const std::int32_t low = -2'000'000'000;
      const compute::CellAxis axis = compute::cell_axis(origin, low, 0.01, size);
      ASSERT_TRUE(axis.whole);
      const auto floor_div = [&](std::int64_t value) { return (value - ((value % units) + units) % units) / units; };
      for (int i = 0; i < 20'000; ++i) {
        const auto unit = static_cast<std::int32_t>(low + static_cast<std::int64_t>(random() % 4'000'000'000U));
        ASSERT_EQ(compute::cell_of(axis, unit), floor_div(origin + unit) - floor_div(origin + low));
      }
    }
  }
}

TEST(Cells, OtherSizesAreAnchoredAtZero) {
  for (const std::int64_t origin : {std::int64_t{0}, std::int64_t{-4711}, std::int64_t{68'000'000}}) {
    const compute::CellAxis axis = compute::cell_axis(origin, -500, 0.01, 0.333);
    ASSERT_FALSE(axis.whole);
    const auto absolute = [&](std::int32_t unit) { return std::floor(static_cast<double>(origin + unit) * (0.01 / 0.333)); };
    for (std::int32_t unit = -500; unit < 3000; ++unit) {
      ASSERT_EQ(static_cast<double>(compute::cell_of(axis, unit)), absolute(unit) - absolute(-500));
    }
  }
}

}  // namespace
}  // namespace tuile::test
