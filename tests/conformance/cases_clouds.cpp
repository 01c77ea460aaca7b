// Kinds of clouds and neighbourhoods.

#include "conformance/compare.hpp"
#include "conformance/shapes.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::conformance {

namespace {

using features::Neighbourhood;

features::FeaturePlan full_plan(const std::vector<Neighbourhood>& scales) {
  return features::make_plan(features::set_columns("full"), scales);
}

/// One compute with these scales over a cloud.
Case of(const std::string& name, const Shape& shape, std::vector<Neighbourhood> scales, std::size_t points) {
  return {name, [shape, scales = std::move(scales), points](compute::Backend& reference, compute::Backend& tested, Scale scale) {
            const PointBlock block = coloured(block_of(shape.make(many(scale, points)), shape.unit));
            return compare(reference, tested, tile_of(block), full_plan(scales));
          }};
}

}  // namespace

std::vector<Case> cloud_cases() {
  std::vector<Case> cases;
  for (const Shape& shape : shapes()) {
    cases.push_back(of(shape.name + "Nearest", shape, {{20}, {65}}, 1500));
    cases.push_back(of(shape.name + "Radius", shape, {{20, 0.8, 40}, {20, 0.3, 65536}}, 1200));
  }
  const Shape town_shape = shapes().front();
  for (const int k : {3, 4, 8, 9, 16, 17, 24, 25, 32, 33, 48, 49, 64, 65, 300}) {
    cases.push_back(of("TownK" + std::to_string(k), town_shape, {{k}}, 1000));
  }
  cases.push_back(of("TownK4096", town_shape, {{4096}}, 4500));
  // Trees of one more level.
  cases.push_back(of("LargeTown", town_shape, {{20}}, 40'000));
  cases.push_back(of("LargeTownRadius", town_shape, {{20, 0.6, 200}}, 40'000));
  cases.push_back(of("LargeCopies", shapes()[4], {{20}}, 40'000));
  cases.push_back(of("TownTinyRadius", town_shape, {{20, 0.02, 200}}, 1000));
  cases.push_back(of("TownRadiusOfSmallCap", town_shape, {{20, 1.5, 3}}, 1000));
  cases.push_back(of("TownRadiusBeyondFloat", town_shape, {{20, 60.0, 500}}, 600));
  cases.push_back(of("TownMillimetresRadiusBeyondFloat", shapes()[1], {{20, 6.0, 100}}, 600));
  cases.push_back(of("TownManyScales", town_shape, {{20}, {5}, {64}, {100}, {20, 0.5, 200}, {20, 2.0, 100}}, 1000));
  cases.push_back(
      {"FewerPointsThanNeighbours", [](compute::Backend& reference, compute::Backend& tested, Scale) {
         for (const std::size_t n : {1U, 2U, 3U, 7U, 19U, 20U, 21U, 31U, 32U, 33U, 64U, 65U}) {
           const PointBlock block = coloured(block_of(random_points(n, 50, 15)));
           for (const Neighbourhood& scale : {Neighbourhood{20}, Neighbourhood{64}, Neighbourhood{300}, Neighbourhood{20, 0.4, 5}}) {
             const std::string text = compare(reference, tested, tile_of(block), full_plan({scale}));
             if (!text.empty()) return std::to_string(n) + " points, " + scale.suffix() + ": " + text;
           }
         }
         return std::string();
       }});
  return cases;
}

std::vector<Case> all_cases() {
  std::vector<Case> all = cloud_cases();
  for (const auto& more : {feature_cases(), filter_cases(), tile_cases()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace tuile::conformance
