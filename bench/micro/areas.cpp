// Which areas hold a place.
#include <benchmark/benchmark.h>

#include <cmath>
#include <numbers>
#include <random>

#include "label/area_index.hpp"
#include "micro/register.hpp"

namespace tuile::micro {

namespace {

constexpr double side = 1000;  // metres

/// So many outlines over one square kilometre.
std::vector<LayerTruth> layer_of(int areas, int corners) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> place(0, side), wobble(0.8, 1);
  const double radius = std::sqrt(side * side / (areas * std::numbers::pi));
  LayerTruth layer;
  layer.layer = "areas";
  layer.outcome = Outcome::data;
  for (int i = 0; i < areas; ++i) {
    const double x = place(random), y = place(random);
    for (int c = 0; c < corners; ++c) {
      const double angle = 2 * std::numbers::pi * c / corners, r = radius * wobble(random);
      layer.areas.vertices.push_back({x + r * std::cos(angle), y + r * std::sin(angle)});
    }
    layer.areas.ring_begin.push_back(static_cast<std::uint32_t>(layer.areas.vertices.size()));
    layer.areas.area_begin.push_back(static_cast<std::uint32_t>(layer.areas.ring_begin.size() - 1));
    layer.areas.ids.push_back("area" + std::to_string(100000 + i));
    layer.areas.bounds.push_back({x - radius, y - radius, x + radius, y + radius});
    layer.areas.attributes.emplace_back();
  }
  std::vector<LayerTruth> layers;
  layers.push_back(std::move(layer));
  return layers;
}

void point_in_areas(benchmark::State& state) {
  constexpr std::size_t points = 100'000;
  Executor executor(1);
  const std::vector<LayerTruth> layers = layer_of(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  const label::AreaIndex index(layers, {0, 0, side, side}, 10 * points, executor, {});
  std::mt19937 random(2);
  std::uniform_real_distribution<double> place(0, side);
  std::vector<Position> places(points);
  for (Position& p : places) p = {place(random), place(random)};
  for (auto _ : state) {
    std::uint32_t held = 0;
    for (const Position& p : places) {
      index.visit(p.x, p.y, [&](std::uint32_t) {
        ++held;
        return label::AreaIndex::no_object;
      });
    }
    benchmark::DoNotOptimize(held);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(points));
}

}  // namespace

void register_areas() {
  benchmark::RegisterBenchmark("areas/count/corners", point_in_areas)
      ->Args({100, 40})
      ->Args({5000, 40})
      ->Args({100, 4000})
      ->Unit(benchmark::kMillisecond);
}

}  // namespace tuile::micro
