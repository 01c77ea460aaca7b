#include "truth/wkb_bounds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "fake_source.hpp"

namespace tuile::truth {
namespace {

using test::WkbText;

const Bounds everywhere{-std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                        std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};

TEST(WkbBounds, of_every_kind_of_geometry) {
  EXPECT_EQ(wkb_bounds(WkbText().head(1).place(3, -4).text()), (Bounds{3, -4, 3, -4}));
  EXPECT_EQ(wkb_bounds(test::segment_wkb(5, 1, -2, 8)), (Bounds{-2, 1, 5, 8}));
  EXPECT_EQ(wkb_bounds(test::rectangle_wkb({1, 2, 3, 4})), (Bounds{1, 2, 3, 4}));
  for (const std::uint32_t collection : {4U, 5U, 6U, 7U, 9U, 10U, 11U, 12U, 15U, 16U}) {
    const std::string parts =
        WkbText().head(collection).count(2).add(test::rectangle_wkb({1, 2, 3, 4})).add(test::segment_wkb(-5, 0, 0, 9)).text();
    EXPECT_EQ(wkb_bounds(parts), (Bounds{-5, 0, 3, 9})) << collection;
  }
  // Z, M, and both.
  EXPECT_EQ(wkb_bounds(WkbText().head(1002).count(2).place(1, 2).put(99.0).place(3, 4).put(-99.0).text()), (Bounds{1, 2, 3, 4}));
  EXPECT_EQ(wkb_bounds(WkbText().head(2001).place(1, 2).put(99.0).text()), (Bounds{1, 2, 1, 2}));
  EXPECT_EQ(wkb_bounds(WkbText().head(3001).place(1, 2).place(50, 60).text()), (Bounds{1, 2, 1, 2}));
}

TEST(WkbBounds, of_both_byte_orders_and_of_extended_wkb) {
  const auto swapped = [](auto value) {
    std::string bytes(reinterpret_cast<const char*>(&value), sizeof value);
    std::reverse(bytes.begin(), bytes.end());
    return bytes;
  };
  const std::string big_endian = std::string(1, '\0') + swapped(std::uint32_t{2}) + swapped(std::uint32_t{2}) + swapped(1.0) +
                                 swapped(2.0) + swapped(-3.0) + swapped(4.0);
  EXPECT_EQ(wkb_bounds(big_endian), (Bounds{-3, 2, 1, 4}));
  // A part may have another order than the whole; what follows it has the part's own.
  EXPECT_EQ(wkb_bounds(WkbText().head(7).count(2).add(big_endian).add(test::segment_wkb(5, 1, -2, 8)).text()), (Bounds{-3, 1, 5, 8}));
  constexpr std::uint32_t z = 0x80000000U, srid = 0x20000000U;
  EXPECT_EQ(wkb_bounds(WkbText().head(1U | z | srid).count(2154).place(3, -4).put(99.0).text()), (Bounds{3, -4, 3, -4}));
}

TEST(WkbBounds, an_arc_lies_inside) {
  // Half a circle around 0 with radius 1, given by its ends and a place that is not its middle.
  const Bounds box = wkb_bounds(WkbText().head(8).count(3).place(-1, 0).place(-0.6, 0.8).place(1, 0).text());
  EXPECT_LE(box.min_x, -1);
  EXPECT_GE(box.max_x, 1);
  EXPECT_GE(box.max_y, 1);
}

TEST(WkbBounds, nothing_and_no_wkb) {
  const double nan = std::nan("");
  EXPECT_TRUE(wkb_bounds("").empty());
  EXPECT_TRUE(wkb_bounds(WkbText().head(1).place(nan, nan).text()).empty());
  EXPECT_TRUE(wkb_bounds(WkbText().head(6).count(0).text()).empty());
  EXPECT_EQ(wkb_bounds("x"), everywhere);
  EXPECT_EQ(wkb_bounds(WkbText().head(99).text()), everywhere);
  EXPECT_EQ(wkb_bounds(WkbText().head(4002).count(0).text()), everywhere);
  EXPECT_EQ(wkb_bounds(WkbText().head(2).count(0xFFFFFFFF).place(1, 1).text()), everywhere);
  std::string nested = WkbText().head(1).place(0, 0).text();
  for (int i = 0; i < 5000; ++i) nested = WkbText().head(7).count(1).add(nested).text();
  EXPECT_EQ(wkb_bounds(nested), everywhere);
  const std::string whole = test::rectangle_wkb({1, 2, 3, 4});
  for (std::size_t size = 1; size < whole.size(); ++size) EXPECT_EQ(wkb_bounds(whole.substr(0, size)), everywhere);
}

TEST(WkbBounds, no_bytes_do_harm) {
  const std::string whole = WkbText().head(7).count(2).add(test::rectangle_wkb({1, 2, 3, 4})).add(test::segment_wkb(-5, 0, 0, 9)).text();
  std::mt19937 random(3);
  int read = 0;
  for (int i = 0; i < 50000; ++i) {
    std::string bytes = whole;
    bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 2 == 0) bytes.resize(random() % bytes.size() + 1);
    read += wkb_bounds(bytes) == everywhere ? 0 : 1;
  }
  EXPECT_GT(read, 1000);
}

}  // namespace
}  // namespace tuile::truth
