#include "large_cases.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>

#include "conformance/compare.hpp"
#include "town.hpp"

namespace tuile::gpu_check {

namespace {

using compute::Backend;
using compute::Preprocess;
using compute::TileInput;
using features::FeaturePlan;
using features::Neighbourhood;

FeaturePlan plan_of(const char* set, std::vector<Neighbourhood> scales) { return features::make_plan(features::set_columns(set), scales); }

/// A town whose middle is the core and whose rim is the halo, 10 m wide.
struct TownWithHalo {
  PointBlock core, halo;
  TileInput input;

  TownWithHalo(std::size_t points, std::uint64_t seed) {
    const PointBlock all = town(points, usual_side(points), seed);
    const std::int32_t side = usual_side(points), width = std::min(1000, side / 4);
    std::vector<std::uint32_t> inside, rim;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const GridPoint& p = all.units[i];
      const bool in = p.x >= width && p.x < side - width && p.y >= width && p.y < side - width;
      (in ? inside : rim).push_back(static_cast<std::uint32_t>(i));
    }
    core = select(all, inside);
    halo = select(all, rim);
    core.rows = {};
    halo.rows = {};
    input.core = &core;
    input.halo = &halo;
    input.bounds = {width, width, side - width, side - width};
    input.halo_width = width * all.grid.scale;
  }
  TownWithHalo(const TownWithHalo&) = delete;
  TownWithHalo& operator=(const TownWithHalo&) = delete;
};

}  // namespace

std::vector<LargeCase> large_cases(std::size_t points) {
  std::vector<LargeCase> cases;
  const auto add = [&](const std::string& name, const FeaturePlan& plan, const Preprocess& preprocess = {}) {
    cases.push_back({"town, " + std::to_string(points) + " points: " + name, [=](Backend& cpu, Backend& cuda) {
                       const TownWithHalo tile(points, 17);
                       return conformance::compare(cpu, cuda, tile.input, plan, preprocess);
                     }});
  };
  add("lod2, k = 20", plan_of("lod2", {{.k = 20}}));
  add("full, k = 64 and k = 8", plan_of("full", {{.k = 64}, {.k = 8}}));
  add("k = 100", plan_of("minimal", {{.k = 100}}));
  add("radius 1 m", plan_of("lod3", {{.radius = 1}}));
  add("radius 6 m, at most 100", plan_of("minimal", {{.radius = 6, .max_neighbors = 100}}));
  Preprocess filters;
  filters.exclude_classes = {5};
  filters.statistical_outliers = {.k = 8, .deviations = 1.5};
  filters.radius_outliers = {.radius = 1.5, .min_neighbors = 3};
  filters.voxel = 0.4;
  add("every filter", plan_of("lod2", {{.k = 20}}), filters);
  cases.push_back({"eight towns in a batch", [points](Backend& cpu, Backend& cuda) {
                     std::vector<std::unique_ptr<TownWithHalo>> towns;
                     std::vector<TileInput> tiles;
                     for (std::size_t i = 0; i < 8; ++i) {
                       towns.push_back(std::make_unique<TownWithHalo>(points / 8 / (i + 1) + 1, 30 + i));
                       tiles.push_back(towns.back()->input);
                     }
                     return conformance::compare(cpu, cuda, tiles, plan_of("lod2", {{.k = 20}}), {});
                   }});
  return cases;
}

}  // namespace tuile::gpu_check
