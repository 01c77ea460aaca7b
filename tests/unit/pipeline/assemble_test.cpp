#include "pipeline/assemble.hpp"

#include <memory>
#include <set>
#include <tuple>
#include <vector>

namespace tuile::pipeline {
namespace {

using Points = std::vector<GridPoint>;

prefetch::TileHandle tile_of(const Points& points, const Grid& grid = {}) {
  auto tile = std::make_shared<prefetch::Tile>();
  tile->points.grid = grid;
  tile->points.units = Buffer<GridPoint>(points.size());
  tile->points.classification = Buffer<std::uint8_t>(points.size(), 2);
  for (std::size_t i = 0; i < points.size(); ++i) tile->points.units[i] = points[i];
  return tile;
}

std::multiset<std::tuple<int, int, int>> halo_of(const AssembledTile& tile) {
  std::multiset<std::tuple<int, int, int>> set;
  for (const GridPoint& p : tile.halo.units) set.emplace(p.x, p.y, p.z);
  return set;
}

const Points square{{0, 0, 0}, {100, 0, 0}, {0, 100, 0}, {100, 100, 0}, {50, 50, 5}};

TEST(Assemble, NeighboursPointsBecomeHalo) {
  const std::vector<prefetch::TileHandle> parts{tile_of({{101, 10, 1}, {105, 20, 2}}), nullptr, tile_of({{10, 110, 3}})};
  const auto tile = assemble(tile_of(square), parts, 0.01);
  EXPECT_EQ(tile->core->size(), square.size());
  EXPECT_EQ(halo_of(*tile), (std::multiset<std::tuple<int, int, int>>{{101, 10, 1}, {105, 20, 2}, {10, 110, 3}}));
}

TEST(Assemble, ACopyOfTheTileAddsNothing) {
  const std::vector<prefetch::TileHandle> parts{tile_of(square)};
  EXPECT_EQ(assemble(tile_of(square), parts, 0.01)->halo.size(), 0U);
}

TEST(Assemble, OverlappingNeighboursAreCountedOnce) {
  const Points overlap{{101, 0, 0}, {110, 0, 0}, {101, 50, 0}, {110, 50, 0}, {105, 25, 7}};
  const std::vector<prefetch::TileHandle> parts{tile_of(overlap), tile_of(overlap)};
  EXPECT_EQ(assemble(tile_of(square), parts, 0.01)->halo.size(), overlap.size());
}

TEST(Assemble, InTheOverlapTheTilesOwnPointsCount) {
  const std::vector<prefetch::TileHandle> parts{tile_of({{50, 60, 0}, {130, 60, 0}})};
  EXPECT_EQ(halo_of(*assemble(tile_of(square), parts, 0.01)), (std::multiset<std::tuple<int, int, int>>{{130, 60, 0}}));
}

TEST(Assemble, ASharedEdgeKeepsForeignPoints) {
  const std::vector<prefetch::TileHandle> parts{tile_of({{100, 30, 4}, {100, 0, 0}, {120, 30, 4}})};
  EXPECT_EQ(halo_of(*assemble(tile_of(square), parts, 0.01)), (std::multiset<std::tuple<int, int, int>>{{100, 30, 4}, {120, 30, 4}}))
      << "(100,0,0) is the tile's own point again, (100,30,4) only lies on its edge";
}

TEST(Assemble, AFinerNeighbourRefinesTheGrid) {
  const std::vector<prefetch::TileHandle> parts{tile_of({{1011, 5, 5}}, {0.001, {0, 0, 0}})};
  const auto tile = assemble(tile_of(square), parts, 0.001);
  EXPECT_EQ(tile->core->grid.scale, 0.001);
  EXPECT_EQ(tile->core->units[4], (GridPoint{500, 500, 50}));
  EXPECT_EQ(halo_of(*tile), (std::multiset<std::tuple<int, int, int>>{{1011, 5, 5}}));
  EXPECT_FALSE(tile->rounded);
  EXPECT_TRUE(tile->core->rows.empty());
}

TEST(Assemble, OriginsMayDiffer) {
  const std::vector<prefetch::TileHandle> parts{tile_of({{1, 10, 1}}, {0.01, {100, 0, 0}})};
  EXPECT_EQ(halo_of(*assemble(tile_of(square), parts, 0.01)), (std::multiset<std::tuple<int, int, int>>{{101, 10, 1}}));
}

TEST(Assemble, EmptyTile) {
  const std::vector<prefetch::TileHandle> parts{tile_of({{1, 1, 1}}), tile_of({})};
  const auto tile = assemble(tile_of({}), parts, 0.01);
  EXPECT_EQ(tile->core->size(), 0U);
  EXPECT_EQ(tile->halo.size(), 1U);
}

}  // namespace
}  // namespace tuile::pipeline
