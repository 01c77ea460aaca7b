// Preprocessing: each filter, all together, and their limits.

#include "conformance/compare.hpp"
#include "conformance/shapes.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::conformance {

namespace {

using compute::Preprocess;

constexpr std::size_t usual = 1500;
constexpr std::int32_t side = 1000;

Case of(const std::string& name, const Preprocess& preprocess, double unit = 0.01) {
  return {name, [preprocess, unit](compute::Backend& reference, compute::Backend& tested, Scale scale) {
            const Cloud cloud = noisy_town(many(scale, usual), side, 61);
            const GridBounds bounds{150, 150, side - 150, side - 150};
            const PointBlock core = coloured(block_of(part(cloud, bounds, true), unit, {91, -1234567, 7}));
            const PointBlock halo = coloured(block_of(part(cloud, bounds, false), unit, {91, -1234567, 7}));
            compute::TileInput tile = tile_of(core, &halo);
            tile.bounds = {bounds.min_x + 91, bounds.min_y - 1234567, bounds.max_x + 91, bounds.max_y - 1234567};
            tile.halo_width = 150 * unit;
            return compare(reference, tested, tile, features::make_plan(features::set_columns("full"), {{20}, {20, 0.5, 100}}), preprocess);
          }};
}

/// On every shape, without a halo.
Case on_shapes(const std::string& name, const Preprocess& preprocess) {
  return {name, [preprocess](compute::Backend& reference, compute::Backend& tested, Scale scale) {
            for (const Shape& shape : shapes()) {
              const PointBlock block = block_of(shape.make(many(scale, 500)), shape.unit);
              const std::string text =
                  compare(reference, tested, tile_of(block), features::make_plan({"planarity", "num_points_2m"}, {{12}}), preprocess);
              if (!text.empty()) return shape.name + ": " + text;
            }
            return std::string();
          }};
}

Preprocess classes(std::vector<std::uint8_t> excluded) {
  Preprocess preprocess;
  preprocess.exclude_classes = std::move(excluded);
  return preprocess;
}
Preprocess statistical(int k, double deviations) {
  Preprocess preprocess;
  preprocess.statistical_outliers = {k, deviations};
  return preprocess;
}
Preprocess radius(double metres, int neighbours) {
  Preprocess preprocess;
  preprocess.radius_outliers = {metres, neighbours};
  return preprocess;
}
Preprocess voxel(double metres) {
  Preprocess preprocess;
  preprocess.voxel = metres;
  return preprocess;
}
Preprocess everything() {
  Preprocess preprocess = classes({65, 66});
  preprocess.statistical_outliers = {8, 1.5};
  preprocess.radius_outliers = {0.6, 3};
  preprocess.voxel = 0.1;
  return preprocess;
}
std::vector<std::uint8_t> every_class() {
  std::vector<std::uint8_t> all;
  for (int code = 0; code < 256; ++code) all.push_back(static_cast<std::uint8_t>(code));
  return all;
}

}  // namespace

std::vector<Case> filter_cases() {
  Preprocess two = statistical(12, 2);
  two.voxel = 0.25;
  Preprocess others = radius(0.5, 4);
  others.exclude_classes = {2};
  return {
      of("FilterClasses", classes({65, 66})),
      of("FilterGroundAway", classes({2})),
      of("FilterEverythingAway", classes(every_class())),
      of("FilterStatistical", statistical(8, 2)),
      of("FilterStatisticalOfManyNeighbours", statistical(50, 1)),
      of("FilterStatisticalBeyondTheList", statistical(100, 1)),
      of("FilterStatisticalOfOneNeighbour", statistical(1, 0)),
      of("FilterStatisticalOfAllPoints", statistical(5000, 1)),
      of("FilterRadius", radius(0.5, 4)),
      of("FilterRadiusOfManyNeighbours", radius(1, 30)),
      of("FilterRadiusThatLeavesNothing", radius(0.01, 60)),
      of("FilterVoxel", voxel(0.25)),
      of("FilterVoxelOfOneUnit", voxel(0.01)),
      of("FilterVoxelOfNoWholeUnits", voxel(0.333)),
      of("FilterVoxelInMillimetres", voxel(0.05), 0.001),
      of("FilterVoxelThatHoldsAll", voxel(1000)),
      of("FilterStatisticalAndVoxel", two),
      of("FilterRadiusAndClasses", others),
      of("FilterEverythingAtOnce", everything()),
      of("FilterEverythingInMillimetres", everything(), 0.001),
      on_shapes("FilterStatisticalOnShapes", statistical(8, 2)),
      on_shapes("FilterRadiusOnShapes", radius(0.4, 5)),
      on_shapes("FilterVoxelOnShapes", voxel(0.2)),
      on_shapes("FilterEverythingOnShapes", everything()),
  };
}

}  // namespace tuile::conformance
