#include "compute/surface_view.hpp"

#include <gtest/gtest.h>

#include <random>

namespace tuile::compute {
namespace {

TEST(SurfaceView, ConvertsWideIntegersAsTheCompilerDoes) {
  std::mt19937_64 random(5);
  const auto expect_same = [](Int128 value) {
    ASSERT_EQ(surface::to_double(value), static_cast<double>(value));
    ASSERT_EQ(surface::to_double(-value), static_cast<double>(-value));
  };
  for (int bits = 0; bits < 126; ++bits) {
    for (int i = 0; i < 200; ++i) {
      const Int128 any = (static_cast<Int128>(random() >> 1) << 62) | static_cast<Int128>(random() >> 2);
      expect_same(any >> (125 - bits));
    }
    // Halfway between two doubles, and next to it.
    const Int128 half = Int128{1} << bits;
    for (std::int64_t mantissa : {(std::int64_t{1} << 52) + 0, (std::int64_t{1} << 52) + 1, (std::int64_t{1} << 53) - 1}) {
      if (bits > 72) break;
      const Int128 value = Int128{mantissa} * half * 2 + half;
      expect_same(value);
      expect_same(value - 1);
      expect_same(value + 1);
    }
  }
  expect_same(0);
}

}  // namespace
}  // namespace tuile::compute
