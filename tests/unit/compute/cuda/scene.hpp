#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "support/fake_cuda/fake_cuda.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/core/error.hpp"
#include "unit/compute/clouds.hpp"

namespace tuile::test {

/// A tile of a small town with its halo.
struct Scene {
  PointBlock core, halo;
  compute::TileInput input;
};

/// points: of core and halo; about four ninths are the core's. Must stay where it is: its input points into it.
inline std::unique_ptr<Scene> make_scene(std::size_t points, std::uint32_t seed) {
  const Cloud town_of = town(points, 3000, seed);
  Cloud parts[2];
  for (std::size_t i = 0; i < points; ++i) {
    const GridPoint& p = town_of.points[i];
    Cloud& part = parts[p.x >= 500 && p.x < 2500 && p.y >= 500 && p.y < 2500 ? 0 : 1];
    part.points.push_back(p);
    part.classes.push_back(town_of.classes[i]);
  }
  auto scene = std::make_unique<Scene>();
  scene->core = coloured(block_of(parts[0]));
  scene->halo = block_of(parts[1]);
  scene->input = tile_of(scene->core, &scene->halo);
  scene->input.bounds = {500, 500, 2500, 2500};
  scene->input.halo_width = 5;
  return scene;
}

inline std::vector<std::unique_ptr<Scene>> make_scenes(std::size_t count, std::size_t points) {
  std::vector<std::unique_ptr<Scene>> scenes;
  for (std::size_t i = 0; i < count; ++i) scenes.push_back(make_scene(points + 37 * i, static_cast<std::uint32_t>(11 + i)));
  return scenes;
}

inline std::vector<compute::TileInput> inputs_of(const std::vector<std::unique_ptr<Scene>>& scenes) {
  std::vector<compute::TileInput> inputs;
  for (const auto& scene : scenes) inputs.push_back(scene->input);
  return inputs;
}

/// Every kind of column.
inline features::FeaturePlan every_column() { return features::make_plan(features::set_columns("full"), {{.k = 10}, {.radius = 1.5}}); }
/// Little work, of every phase.
inline features::FeaturePlan some_columns() {
  return features::make_plan({"z", "intensity", "planarity", "facade_score", "height_above_ground"}, {{.k = 6}});
}

inline compute::Preprocess all_filters() {
  compute::Preprocess preprocess;
  preprocess.exclude_classes = {5};
  preprocess.statistical_outliers = {.k = 5, .deviations = 2};
  preprocess.radius_outliers = {.radius = 2, .min_neighbors = 3};
  preprocess.voxel = 0.2;
  return preprocess;
}

inline std::vector<compute::TileOutput> on_cpu(const std::vector<compute::TileInput>& tiles, const features::FeaturePlan& plan,
                                               const compute::Preprocess& preprocess = {}) {
  Executor executor(2);
  return compute::make_backend("cpu", executor)->compute(tiles, plan, preprocess, {});
}

/// Empty where all of both is the same, bit for bit.
inline std::string difference(const compute::TileOutput& a, const compute::TileOutput& b) {
  if (a.features.names != b.features.names || a.features.points != b.features.points) return "shape";
  const std::size_t columns = a.features.columns();
  if (a.features.values.size() != b.features.values.size()) return "number of values";
  for (std::size_t i = 0; i < a.features.values.size(); ++i) {
    if (std::memcmp(&a.features.values[i], &b.features.values[i], sizeof(float)) == 0) continue;
    return a.features.names[i % columns] + " of row " + std::to_string(i / columns) + ": " + std::to_string(a.features.values[i]) +
           " and " + std::to_string(b.features.values[i]);
  }
  if (a.valid.size() != b.valid.size() || (a.valid.size() > 0 && std::memcmp(a.valid.data(), b.valid.data(), a.valid.size()) != 0))
    return "valid";
  if (a.missing_columns != b.missing_columns) return "missing columns";
  if (a.degenerate_neighbourhoods != b.degenerate_neighbourhoods) return "degenerate neighbourhoods";
  if (a.truncated_neighbourhoods != b.truncated_neighbourhoods) return "truncated neighbourhoods";
  return a.removed == b.removed ? "" : "removed";
}

inline void expect_same(const std::vector<compute::TileOutput>& a, const std::vector<compute::TileOutput>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(difference(a[i], b[i]), "") << "tile " << i;
}

/// A fake machine, on which nothing may be left when the test ends.
class CudaRuntime : public testing::Test {
 protected:
  void SetUp() override { fake_cuda::reset({}); }
  void TearDown() override { EXPECT_EQ(fake_cuda::leaks(), std::vector<std::string>{}); }
  Executor executor_{2};
};

}  // namespace tuile::test
