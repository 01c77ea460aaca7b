#include "tuile/core/point_block.hpp"

#include <array>
#include <limits>
#include <vector>

#include "tuile/core/error.hpp"

namespace tuile {
namespace {

PointBlock block_of(const std::vector<GridPoint>& points, const Grid& grid) {
  PointBlock block;
  block.grid = grid;
  block.units = Buffer<GridPoint>(points.size());
  block.classification = Buffer<std::uint8_t>(points.size());
  block.intensity = Buffer<std::uint16_t>(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    block.units[i] = points[i];
    block.classification[i] = static_cast<std::uint8_t>(i);
    block.intensity[i] = static_cast<std::uint16_t>(10 * i);
  }
  return block;
}

TEST(PointBlock, ExtentIsAbsolute) {
  const PointBlock block = block_of({{5, -3, 1}, {-2, 9, 1}}, {0.01, {1000, 2000, 0}});
  EXPECT_EQ(block.extent(), (GridBounds{998, 1997, 1005, 2009}));
  EXPECT_TRUE(PointBlock{}.extent().empty());
}

TEST(PointBlock, BoxesBecomeWholeUnits) {
  EXPECT_EQ(units_inside({0.1, 0.2, 0.3, 0.4}, 0.01), (GridBounds{10, 20, 30, 40})) << "what binary fractions miss is forgiven";
  EXPECT_EQ(units_inside({0.101, -0.009, 0.109, 0.0}, 0.01), (GridBounds{11, 0, 10, 0}));
  const double inf = std::numeric_limits<double>::infinity();
  const GridBounds all = units_inside({-inf, -1e300, inf, 1e300}, 0.01);
  EXPECT_TRUE(all.contains(std::int64_t{1} << 40, -(std::int64_t{1} << 40)));
}

TEST(PointBlock, SelectKeepsAttributesAndRows) {
  const PointBlock block = block_of({{0, 0, 0}, {1, 1, 1}, {2, 2, 2}, {3, 3, 3}}, {});
  const std::array<std::uint32_t, 2> first{1, 3};
  const PointBlock some = select(block, first);
  EXPECT_EQ(some.units[1], (GridPoint{3, 3, 3}));
  EXPECT_EQ(some.intensity[0], 10);
  EXPECT_EQ(some.rows[1], 3U);
  const std::array<std::uint32_t, 1> second{1};
  EXPECT_EQ(select(some, second).rows[0], 3U) << "rows count in the file, not in the block";
}

TEST(PointBlock, RegridIsExactOnMultiples) {
  const PointBlock fine = regrid(block_of({{7, -8, 9}}, {0.01, {100, 200, 300}}), {0.001, {1000, 1900, 2990}});
  EXPECT_EQ(fine.units[0], (GridPoint{(100 + 7) * 10 - 1000, (200 - 8) * 10 - 1900, (300 + 9) * 10 - 2990}));
  EXPECT_FALSE(fine.rounded);
}

TEST(PointBlock, RegridRoundsAndSaysSo) {
  const PointBlock odd = regrid(block_of({{3, 4, 5}}, {0.01, {0, 0, 0}}), {0.003, {0, 0, 0}});
  EXPECT_EQ(odd.units[0], (GridPoint{10, 13, 17}));  // 0.03/0.003, 0.04/0.003 = 13.3, 0.05/0.003 = 16.7
  EXPECT_TRUE(odd.rounded);
}

TEST(PointBlock, RegridRefusesWhatLeavesTheRange) {
  EXPECT_THROW(regrid(block_of({{2'000'000'000, 0, 0}}, {0.01, {0, 0, 0}}), {0.001, {0, 0, 0}}), Unsupported);
}

TEST(PointBlock, ConcatenateKeepsCommonAttributes) {
  PointBlock a = block_of({{1, 1, 1}}, {});
  PointBlock b = block_of({{2, 2, 2}, {3, 3, 3}}, {});
  b.intensity = {};
  const PointBlock empty = block_of({}, {});
  const std::array<const PointBlock*, 3> parts{&a, &empty, &b};
  const PointBlock joined = concatenate(parts, Grid{});
  ASSERT_EQ(joined.size(), 3U);
  EXPECT_EQ(joined.units[2], (GridPoint{3, 3, 3}));
  EXPECT_EQ(joined.classification.size(), 3U);
  EXPECT_TRUE(joined.intensity.empty());
  b.grid.scale = 0.5;
  EXPECT_THROW(concatenate(parts, Grid{}), InvalidArgument);
}

TEST(Buffer, HugeSizesAreTypedErrors) {
  EXPECT_THROW(Buffer<double>(std::size_t{1} << 61), OutOfMemory);
  EXPECT_THROW(Buffer<double>(std::size_t{1} << 55), OutOfMemory);
}

}  // namespace
}  // namespace tuile
