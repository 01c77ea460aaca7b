#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <stop_token>
#include <vector>

#include "tuile/core/error.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/pipeline/feature_computer.hpp"

namespace tuile::pipeline {
namespace {

using Type = CoordinateArray::Type;
using Absolute = std::array<std::int64_t, 3>;

template <class T>
constexpr Type type_of = std::is_same_v<T, float>          ? Type::float32
                         : std::is_same_v<T, double>       ? Type::float64
                         : std::is_same_v<T, std::int32_t> ? Type::int32
                                                           : Type::int64;

/// Rows one after the other, as NumPy's C order.
template <class T>
CoordinateArray rows_of(const std::vector<T>& values) {
  return {values.data(), values.size() / 3, 3 * sizeof(T), sizeof(T), type_of<T>};
}

template <class T>
PointBlock grid(const std::vector<T>& values, double scale = 0) {
  Executor executor(2);
  return grid_points(rows_of(values), scale, executor);
}

Absolute absolute(const PointBlock& block, std::size_t i) {
  const GridPoint& p = block.units[i];
  return {block.grid.origin[0] + p.x, block.grid.origin[1] + p.y, block.grid.origin[2] + p.z};
}

/// Whole centimetres of Lambert-93, more rows than one task has.
std::vector<std::int64_t> centimetres(std::size_t points) {
  std::mt19937 random(7);
  std::uniform_int_distribution<std::int64_t> within(0, 100'000);
  std::vector<std::int64_t> units;
  for (std::size_t i = 0; i < points; ++i) {
    units.push_back(87'000'000 + within(random));
    units.push_back(661'700'000 + within(random));
    units.push_back(within(random) / 100 - 300);
  }
  return units;
}

std::vector<double> metres(const std::vector<std::int64_t>& units, double scale) {
  std::vector<double> values;
  for (const std::int64_t unit : units) values.push_back(static_cast<double>(unit) * scale);
  return values;
}

void expect_units(const PointBlock& block, const std::vector<std::int64_t>& units) {
  ASSERT_EQ(block.size(), units.size() / 3);
  for (std::size_t i = 0; i < block.size(); ++i) {
    ASSERT_EQ(absolute(block, i), (Absolute{units[3 * i], units[3 * i + 1], units[3 * i + 2]})) << "row " << i;
  }
}

TEST(GridPoints, CentimetresAreFoundExactly) {
  const std::vector<std::int64_t> units = centimetres(100'003);
  const PointBlock block = grid(metres(units, 0.01));
  EXPECT_EQ(block.grid.scale, 0.01);
  EXPECT_FALSE(block.rounded);
  expect_units(block, units);
  EXPECT_EQ(std::count(block.classification.begin(), block.classification.end(), 1), 100'003);
}

TEST(GridPoints, TheOriginIsThatOfAFileWithThesePoints) {
  const PointBlock block = grid<double>({870'012.34, 6'617'999.99, -0.01, 870'013, 6'618'000, 4});
  EXPECT_EQ(block.grid.origin, (std::array<std::int64_t, 3>{87'001'000, 661'799'000, -1000}));
}

TEST(GridPoints, ThousandthsAndTenThousandthsWhereNeeded) {
  EXPECT_EQ(grid<double>({1.01, 2.02, 3.03, 5.001, 6, 7}).grid.scale, 0.001);
  const PointBlock fine = grid<double>({1.01, 2.02, 3.03, 5.0001, 6, 7});
  EXPECT_EQ(fine.grid.scale, 0.0001);
  EXPECT_FALSE(fine.rounded);
  EXPECT_EQ(absolute(fine, 1), (Absolute{50'001, 60'000, 70'000}));
}

TEST(GridPoints, TheLastRowAloneCanAskForAFinerGrid) {
  std::vector<double> values = metres(centimetres(100'000), 0.01);
  values.back() += 0.005;
  EXPECT_EQ(grid(values).grid.scale, 0.001);
}

TEST(GridPoints, WhatLiesOnNoGridIsRounded) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> within(0, 1500);
  std::vector<double> values(3 * 50'000);
  for (double& value : values) value = within(random);
  const PointBlock block = grid(values);
  EXPECT_TRUE(block.rounded);
  EXPECT_EQ(block.grid.scale, 1e-4) << "1500 m in 2^24 units would be 0.9e-4";
  for (std::size_t i = 0; i < block.size(); ++i) {
    for (std::size_t axis = 0; axis < 3; ++axis)
      ASSERT_NEAR(static_cast<double>(absolute(block, i)[axis]) * 1e-4, values[3 * i + axis], 0.5001e-4);
  }
  std::vector<double> wide = values;
  for (double& value : wide) value *= 10;
  EXPECT_EQ(grid(wide).grid.scale, 1e-3);
}

TEST(GridPoints, Float32IsOnTheGridWhereItIsTheNearestThatItCanSay) {
  std::vector<std::int64_t> units = centimetres(5000);
  for (std::size_t i = 0; i < units.size(); ++i) units[i] -= i % 3 == 0 ? 87'000'000 : i % 3 == 1 ? 661'700'000 : 0;
  std::vector<float> values;
  for (const std::int64_t unit : units) values.push_back(static_cast<float>(0.01 * static_cast<double>(unit)));
  const PointBlock block = grid(values);
  EXPECT_EQ(block.grid.scale, 0.01);
  EXPECT_FALSE(block.rounded);
  expect_units(block, units);
}

TEST(GridPoints, IntegersAreMetres) {
  const PointBlock small = grid<std::int32_t>({1, 2, 3, -4, 5, 6});
  EXPECT_EQ(small.grid.scale, 0.01);
  EXPECT_EQ(absolute(small, 1), (Absolute{-400, 500, 600}));
  EXPECT_EQ(absolute(grid<std::int64_t>({1, 2, 3, -4, 5, 6}), 1), (Absolute{-400, 500, 600}));
}

TEST(GridPoints, StridesOfAnyKind) {
  const std::vector<std::int64_t> units = centimetres(40'000);
  const std::vector<double> values = metres(units, 0.01);
  const std::size_t rows = values.size() / 3;
  Executor executor(2);

  std::vector<double> columns(values.size());  // Fortran order
  std::vector<double> padded(5 * rows, std::numeric_limits<double>::quiet_NaN());
  std::vector<char> unaligned(25 * rows + 1);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      columns[axis * rows + i] = values[3 * i + axis];
      padded[5 * i + axis] = values[3 * i + axis];
      std::memcpy(unaligned.data() + 1 + 25 * i + 8 * axis, &values[3 * i + axis], 8);
    }
  }
  const auto same = [&](const CoordinateArray& array) { expect_units(grid_points(array, 0, executor), units); };
  same({columns.data(), rows, 8, static_cast<std::ptrdiff_t>(8 * rows), Type::float64});
  same({padded.data(), rows, 40, 8, Type::float64});
  same({unaligned.data() + 1, rows, 25, 8, Type::float64});

  std::vector<double> backwards(values.size());  // last row first, z first
  for (std::size_t i = 0; i < values.size(); ++i) backwards[values.size() - 1 - i] = values[i];
  same({backwards.data() + values.size() - 1, rows, -24, -8, Type::float64});
}

TEST(GridPoints, AGivenScaleIsTakenAndSaysWhetherItRounds) {
  const std::vector<double> values{1.01, 2.02, 3.03, 4, 5, 6.5};
  const PointBlock fine = grid(values, 0.001), coarse = grid(values, 0.5);
  EXPECT_EQ(fine.grid.scale, 0.001);
  EXPECT_FALSE(fine.rounded);
  EXPECT_TRUE(coarse.rounded);
  EXPECT_EQ(absolute(coarse, 0), (Absolute{2, 4, 6}));
  EXPECT_EQ(absolute(coarse, 1), (Absolute{8, 10, 13}));
}

TEST(GridPoints, NothingAndOnePoint) {
  EXPECT_EQ(grid(std::vector<double>{}).size(), 0U);
  const PointBlock one = grid<double>({1.0 / 3, 1e6 / 7, 0});
  EXPECT_EQ(one.size(), 1U);
  EXPECT_EQ(one.grid.scale, 1e-4);
  EXPECT_TRUE(one.rounded);
}

template <class Exception, class T>
std::string refusal(const std::vector<T>& values, double scale = 0) {
  try {
    grid(values, scale);
  } catch (const Exception& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST(GridPoints, TheFirstRowThatIsNoPlaceIsNamed) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
    std::vector<double> values = metres(centimetres(100'000), 0.01);
    values[3 * 71'234 + 1] = values[3 * 99'999] = bad;
    EXPECT_NE(refusal<InvalidArgument>(values).find("row 71234 "), std::string::npos);
  }
}

TEST(GridPoints, WhatFitsNoGridIsRefused) {
  EXPECT_NE(refusal<Unsupported>(std::vector<double>{0, 0, 0, 3e7, 0, 0}, 0.01).find("coarser"), std::string::npos);
  EXPECT_NE(refusal<Unsupported>(std::vector<double>{1e300, 0, 0}).find("1e+300"), std::string::npos);
  EXPECT_NE(refusal<Unsupported>(std::vector<double>{1e11, 0, 0}, 1e-10).find("1e-10"), std::string::npos);
  EXPECT_NE(refusal<Unsupported>(std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min(), 0, 0}).find("coordinate 0"),
            std::string::npos);
  EXPECT_FALSE(refusal<Unsupported>(std::vector<float>{std::numeric_limits<float>::max(), 0, 0}).empty());
}

TEST(GridPoints, WithoutAScaleAWideCloudGetsACoarserGrid) {
  const PointBlock block = grid<double>({0, 0, 0, 3e7, 0, 0});
  EXPECT_EQ(block.grid.scale, 10);
  EXPECT_FALSE(block.rounded);
  const PointBlock far = grid<double>({1e11, 0.12345, 0, 1e11 + 1, 0, 0});
  EXPECT_LT(std::abs(static_cast<double>(absolute(far, 0)[0]) * far.grid.scale - 1e11), far.grid.scale);
}

TEST(GridPoints, ScalesThatAreNone) {
  for (const double scale : {-0.01, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1e-20})
    EXPECT_FALSE(refusal<InvalidArgument>(std::vector<double>{1, 2, 3}, scale).empty());
}

TEST(GridPoints, ARequestedStopIsHeard) {
  std::stop_source source;
  source.request_stop();
  Executor executor(2);
  const std::vector<double> values{1, 2, 3};
  EXPECT_THROW(grid_points(rows_of(values), 0, executor, source.get_token()), Cancelled);
}

}  // namespace
}  // namespace tuile::pipeline
