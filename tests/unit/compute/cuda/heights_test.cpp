#include "compute/cuda/heights.hpp"

#include <limits>
#include <random>

#include "compute/host/ground_surface.hpp"
#include "on_device.hpp"
#include "tuile/compute/backend.hpp"
#include "unit/compute/clouds.hpp"

namespace tuile::compute::cuda {
namespace {

constexpr std::int32_t least = std::numeric_limits<std::int32_t>::min(), most = std::numeric_limits<std::int32_t>::max();

std::vector<GridPoint> ground_of(const test::Cloud& cloud) {
  std::vector<GridPoint> ground;
  for (std::size_t i = 0; i < cloud.points.size(); ++i) {
    if (cloud.classes[i] == 2) ground.push_back(cloud.points[i]);
  }
  return ground;
}

/// Rows of the plan's columns with something of a search in each, heights filled in on the device.
std::vector<float> on_device(const GroundSurface& surface, const std::vector<GridPoint>& points, const std::vector<std::uint8_t>& valid,
                             const features::FeaturePlan& plan, double scale, const std::vector<float>& before) {
  const OnDevice<GridPoint> units(points);
  const OnDevice<std::uint8_t> marks(valid);
  const OnDevice<float> values(before);
  std::vector<std::byte> packed(surface_bytes(surface.view()));
  const OnDevice<std::byte> memory(packed);
  cudaStream_t stream = nullptr;
  EXPECT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  const SurfaceView there = pack_surface(surface.view(), packed.data(), memory.get());
  EXPECT_EQ(cudaMemcpyAsync(memory.get(), packed.data(), packed.size(), cudaMemcpyHostToDevice, stream), cudaSuccess);
  fill_heights(there, {units.get(), marks.get(), static_cast<std::uint32_t>(points.size()), scale, values.get()}, plan, stream);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  return values.fetch();
}

/// The same by the host's cursor.
std::vector<float> on_host(const GroundSurface& surface, const std::vector<GridPoint>& points, const std::vector<std::uint8_t>& valid,
                           const features::FeaturePlan& plan, double scale, std::vector<float> values) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  GroundSurface::Cursor cursor(surface);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool known = !surface.empty() && (valid.empty() || valid[i] != 0);
    const double height = known ? (points[i].z - cursor.height(points[i].x, points[i].y)) * scale : 0;
    for (std::size_t c = 0; c < plan.columns.size(); ++c) {
      float& value = values[i * plan.columns.size() + c];
      if (plan.columns[c].feature == features::Feature::height_above_ground) value = known ? static_cast<float>(height) : nan;
      if (plan.columns[c].feature == features::Feature::facade_score) {
        value = known ? static_cast<float>(features::facade_score(value, height)) : nan;
      }
    }
  }
  return values;
}

void compare(const std::vector<GridPoint>& ground, const std::vector<GridPoint>& points, const std::vector<std::uint8_t>& valid = {},
             const features::FeaturePlan& plan = features::make_plan({"z", "facade_score", "height_above_ground"}, {{.k = 20}}),
             double scale = 0.01) {
  const GroundSurface surface(ground, Grid{scale, {0, 0, 0}});
  std::vector<float> before(points.size() * plan.columns.size());
  for (std::size_t i = 0; i < before.size(); ++i) before[i] = static_cast<float>(i % 97) / 97.0F;
  expect_same_bits(on_device(surface, points, valid, plan, scale, before), on_host(surface, points, valid, plan, scale, before),
                   plan.columns.size());
}

/// Places all over a square, on its lattice of 50 units, and far outside.
std::vector<GridPoint> places(std::size_t count, std::int32_t side, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::int32_t> inside(-side / 8, side + side / 8), anywhere(least, most);
  std::vector<GridPoint> points;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 3 == 0) points.push_back({inside(random), inside(random), inside(random)});
    if (i % 3 == 1) points.push_back({inside(random) / 50 * 50, inside(random) / 50 * 50, inside(random)});
    if (i % 3 == 2) points.push_back({anywhere(random), anywhere(random), inside(random)});
  }
  for (const std::int32_t x : {least, most, 0}) {
    for (const std::int32_t y : {least, most, 0}) points.push_back({x, y, 100});
  }
  return points;
}

TEST(CudaHeights, OfATown) {
  const test::Cloud cloud = test::town(20000, 6000, 3);
  compare(ground_of(cloud), cloud.points);
  compare(ground_of(cloud), places(3000, 6000, 1));
}

TEST(CudaHeights, OfALatticeWithTies) {
  std::vector<GridPoint> ground;
  for (std::int32_t x = 0; x < 40; ++x) {
    for (std::int32_t y = 0; y < 40; ++y) ground.push_back({x * 50, y * 50, x * 7 - y * 3});
  }
  compare(ground, places(3000, 2000, 2));
}

TEST(CudaHeights, OfPointsOnALine) {
  std::vector<GridPoint> ground;
  for (std::int32_t i = -20; i < 20; ++i) ground.push_back({i * 300, i * 700, i * i});
  compare(ground, places(3000, 14000, 3));
}

TEST(CudaHeights, OfASinglePointOfTwoAndOfAFewFarApart) {
  compare({{5, 6, 7}}, places(100, 1000, 4));
  compare({{5, 6, 7}, {500000, -6, 9}}, places(300, 1000, 5));
  compare({{0, 0, least}, {1 << 29, 0, most}, {0, 1 << 29, 0}}, places(3000, 1 << 29, 6));
}

TEST(CudaHeights, NanWithoutGroundAndInInvalidRows) {
  const std::vector<GridPoint> points = places(100, 1000, 7);
  compare({}, points);
  std::vector<std::uint8_t> valid(points.size());
  for (std::size_t i = 0; i < valid.size(); ++i) valid[i] = i % 3 == 0 ? 1 : 0;
  compare({{0, 0, 0}, {900, 0, 5}, {0, 900, 9}}, points, valid);
  compare({}, points, valid);
}

TEST(CudaHeights, InManyColumnsOrInNone) {
  const test::Cloud cloud = test::town(3000, 3000, 4);
  std::vector<features::Neighbourhood> scales;
  for (int k = 10; k < 30; ++k) scales.push_back({.k = k});
  compare(ground_of(cloud), cloud.points, {}, features::make_plan({"facade_score", "height_above_ground", "planarity"}, scales));
  compare(ground_of(cloud), cloud.points, {}, features::make_plan({"facade_score"}, {{.k = 20}}), 0.001);
  compare(ground_of(cloud), cloud.points, {}, features::make_plan({"height_above_ground"}, {{.k = 20}}));
  compare(ground_of(cloud), cloud.points, {}, features::make_plan({"planarity"}, {{.k = 20}}));
  compare(ground_of(cloud), {});
}

TEST(CudaHeights, AreTheBackends) {
  const test::Cloud cloud = test::town(10000, 5000, 5);
  const PointBlock core = test::block_of(cloud);
  const features::FeaturePlan plan = features::make_plan({"height_above_ground"}, {{.k = 20}});
  Executor executor(1);
  const TileInput tile = test::tile_of(core);
  const std::vector<TileOutput> expected = make_backend("cpu", executor)->compute({&tile, 1}, plan, {}, {});
  const GroundSurface surface(ground_of(cloud), core.grid);
  const std::vector<float> values = on_device(surface, cloud.points, {}, plan, core.grid.scale, std::vector<float>(cloud.points.size()));
  expect_same_bits(values, expected.at(0).features.values.span(), 1);
}

}  // namespace
}  // namespace tuile::compute::cuda
