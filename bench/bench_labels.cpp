#include <array>
#include <cmath>
#include <numbers>
#include <random>
#include <string>

#include "alternate.hpp"
#include "bench.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/core/error.hpp"
#include "tuile/label/label.hpp"

namespace tuile::bench {

namespace {

constexpr int polygons = 5000;

/// The default layers' classes and conditions.
label::LabelPlan default_plan() {
  using label::Condition;
  const auto one = [](const char* layer, std::uint8_t asprs_class, const char* where) {
    return label::LayerRules{layer, {{asprs_class, Condition(where)}}};
  };
  label::LabelPlan plan;
  plan.layers = {one("batiment", 6, "h >= 0.2 or verticality >= 0.45"),
                 one("construction_surfacique", 17, "h >= -0.5 and normal_z >= 0.9"),
                 one("troncon_de_voie_ferree", 10, "-0.3 <= h <= 1.0"),
                 one("troncon_de_route", 11, "-0.3 <= h <= 1.2 and normal_z >= 0.9"),
                 one("surface_hydrographique", 9, "-0.5 <= h <= 0.3"),
                 {"zone_de_vegetation", {{3, Condition("h < 0.5")}, {4, Condition("h < 1.5")}, {5, Condition("h >= 1.5")}}},
                 one("terrain_de_sport", 70, "h <= 2.5"),
                 one("cimetiere", 71, "h <= 2.5"),
                 one("ligne_electrique", 14, "h >= 5 and linearity >= 0.5")};
  return plan;
}

void add_ring(LayerAreas& areas, std::mt19937& random, Position centre, double radius, int corners) {
  std::uniform_real_distribution<double> wobble(0.9, 1.0);
  for (int i = 0; i < corners; ++i) {
    const double angle = 2 * std::numbers::pi * i / corners, r = radius * wobble(random);
    areas.vertices.push_back({centre.x + r * std::cos(angle), centre.y + r * std::sin(angle)});
  }
  areas.ring_begin.push_back(static_cast<std::uint32_t>(areas.vertices.size()));
}

/// 5 000 outlines of 24 to 72 corners with one hole each, all over the points' extent, each layer's ninth of them; together they cover the
/// extent about once.
GroundTruth areas_over(const PointBlock& points, const label::LabelPlan& plan) {
  const GridBounds extent = points.extent();
  const double scale = points.grid.scale;
  std::mt19937 random(1);
  std::uniform_real_distribution<double> x(static_cast<double>(extent.min_x) * scale, static_cast<double>(extent.max_x) * scale);
  std::uniform_real_distribution<double> y(static_cast<double>(extent.min_y) * scale, static_cast<double>(extent.max_y) * scale);
  std::uniform_int_distribution<int> corners(24, 72);
  const double radius = std::sqrt((x.max() - x.min()) * (y.max() - y.min()) / (polygons * 0.7 * std::numbers::pi));
  GroundTruth truth;
  truth.source = "bench";
  for (const label::LayerRules& rules : plan.layers) {
    LayerTruth layer;
    layer.layer = rules.layer;
    layer.outcome = Outcome::data;
    truth.layers.push_back(std::move(layer));
  }
  for (int i = 0; i < polygons; ++i) {
    LayerAreas& areas = truth.layers[static_cast<std::size_t>(i) % truth.layers.size()].areas;
    const Position centre{x(random), y(random)};
    add_ring(areas, random, centre, radius, corners(random));
    add_ring(areas, random, centre, 0.3 * radius, 12);
    areas.area_begin.push_back(static_cast<std::uint32_t>(areas.ring_begin.size() - 1));
    areas.ids.push_back("bench" + std::to_string(100000 + i));
    areas.bounds.push_back({centre.x - radius, centre.y - radius, centre.x + radius, centre.y + radius});
    areas.attributes.emplace_back();
  }
  return truth;
}

}  // namespace

Row bench_labels(const PointBlock& points, Executor& executor, int runs) {
  if (points.size() == 0) throw InvalidArgument("the block has no points; give a tile to measure on");
  const auto feature_plan = features::make_plan(features::set_columns("lod2"), {});
  const auto backend = compute::make_backend("cpu", executor);
  compute::TileInput tile;
  tile.core = &points;
  const label::LabelPlan plan = default_plan();
  const GroundTruth truth = areas_over(points, plan);
  const FeatureBlock columns = std::move(backend->compute({&tile, 1}, feature_plan, {}, {}).front().features);
  const auto [labels, features] = alternate(
      runs, [&] { label::label_points(points, columns, {}, truth, plan, executor); },
      [&] {
        backend->compute({&tile, 1}, feature_plan, {}, {});
      });
  return speed_row("labels.5000_polygons", 1e-6 * static_cast<double>(points.size()), "M points/s, areas' index included", labels,
                   "lod2 features (k = 20) of the same points", features, 5);
}

}  // namespace tuile::bench
