#pragma once

#include <functional>

#include "label_support.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::label::test {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// A condition as text and as code over h, planarity, ndvi.
struct KnownCondition {
  const char* text;
  bool (*holds)(float h, float planarity, float ndvi);
};
inline const std::vector<KnownCondition> known_conditions{
    {"", [](float, float, float) { return true; }},
    {"h >= 0.2 or planarity >= 0.45", [](float h, float p, float) { return h >= 0.2F || p >= 0.45F; }},
    {"-0.3 <= h <= 1.0", [](float h, float, float) { return h >= -0.3F && h <= 1.0F; }},
    {"not h < 0.5 and ndvi > 0", [](float h, float, float n) { return !(h < 0.5F) && n > 0; }},
    {"h != 0", [](float h, float, float) { return h < 0 || h > 0; }},
    {"1 < 0", [](float, float, float) { return false; }},
};

/// A tile with areas of every awkward kind, and what its labels must be.
struct RandomWorld {
  std::vector<std::vector<Polygon>> polygons;           ///< per layer
  std::vector<std::vector<std::pair<int, int>>> rules;  ///< per layer: class, index of a known condition
  Grid grid;
  std::vector<GridPoint> units;
  std::vector<std::uint8_t> classes, valid;
  std::vector<float> values;  ///< planarity, height_above_ground, ndvi, x
  bool ndvi = false;

  explicit RandomWorld(unsigned seed) {
    std::mt19937 random(seed);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    const int side = below(2) == 0 ? 60 : 5000;  // units: few, so that points lie on corners and edges; or many
    grid = {below(2) == 0 ? 0.01 : 0.125, {90000000 + below(1000), 60000000 + below(1000), 0}};
    const auto corner = [&](int lowest, int extent) { return position_of(grid, {lowest + below(extent), lowest + below(extent), 0}); };
    const int layers = 1 + below(8), most = below(3) == 0 ? 200 : 12;
    for (int l = 0; l < layers; ++l) {
      std::vector<Polygon> areas;
      for (int a = below(most); a > 0; --a) areas.push_back(polygon(random, corner, side, below(9)));
      if (!areas.empty() && below(3) == 0) areas.insert(areas.end(), 20, areas.front());  // one on the other
      polygons.push_back(std::move(areas));
      std::vector<std::pair<int, int>> layer_rules;
      for (int r = below(4); r > 0; --r)
        layer_rules.emplace_back(below(3) == 0 ? 6 : 2 + below(80), below(static_cast<int>(known_conditions.size())));
      rules.push_back(std::move(layer_rules));
    }
    const std::vector<float> heights{-1, -0.3F, 0, 0.2F, 0.49F, 0.5F, 1, 1.49F, 1.5F, 20, nan},
        ratios{-0.1F, 0, 0.29F, 0.3F, 0.45F, 0.5F, 1, nan};
    for (int i = 200 + below(600); i > 0; --i) {
      units.push_back({below(side), below(side), below(100)});
      classes.push_back(static_cast<std::uint8_t>(below(3) == 0 ? 6 : below(20)));
      valid.push_back(below(5) != 0);
      values.insert(values.end(),
                    {ratios[random() % ratios.size()], heights[random() % heights.size()], ratios[random() % ratios.size()], nan});
    }
    if (below(2) == 0) valid.clear();
    ndvi = below(2) == 0;
  }

  GroundTruth truth() const {
    GroundTruth result;
    for (std::size_t l = 0; l < polygons.size(); ++l) result.layers.push_back(layer_of("layer" + std::to_string(l), polygons[l]));
    return result;
  }

  LabelPlan plan() const {
    LabelPlan result;
    result.ndvi = ndvi;
    for (std::size_t l = 0; l < rules.size(); ++l) {
      LayerRules layer{"layer" + std::to_string(l), {}};
      for (const auto& [asprs_class, condition] : rules[l])
        layer.rules.push_back(
            {static_cast<std::uint8_t>(asprs_class), Condition(known_conditions[static_cast<std::size_t>(condition)].text)});
      result.layers.push_back(std::move(layer));
    }
    return result;
  }

  /// The points at `picks`, on a grid whose origin is moved by `shift` units.
  PointBlock block(const std::vector<std::size_t>& picks, std::array<int, 2> shift = {0, 0}) const {
    Grid moved = grid;
    moved.origin[0] += shift[0];
    moved.origin[1] += shift[1];
    std::vector<GridPoint> picked;
    for (const std::size_t i : picks) picked.push_back({units[i].x - shift[0], units[i].y - shift[1], units[i].z});
    PointBlock result = block_of(moved, picked);
    for (std::size_t k = 0; k < picks.size(); ++k) result.classification[k] = classes[picks[k]];
    return result;
  }
  FeatureBlock features(const std::vector<std::size_t>& picks) const {
    std::vector<float> picked;
    for (const std::size_t i : picks)
      picked.insert(picked.end(), values.begin() + static_cast<std::ptrdiff_t>(4 * i),
                    values.begin() + static_cast<std::ptrdiff_t>(4 * i + 4));
    return features_of({"planarity", "height_above_ground", "ndvi", "x"}, picks.size(), picked);
  }
  std::vector<std::uint8_t> validity(const std::vector<std::size_t>& picks) const {
    std::vector<std::uint8_t> picked;
    for (const std::size_t i : picks) {
      if (!valid.empty()) picked.push_back(valid[i]);
    }
    return picked;
  }
  std::vector<std::size_t> all() const {
    std::vector<std::size_t> every(units.size());
    for (std::size_t i = 0; i < every.size(); ++i) every[i] = i;
    return every;
  }

  struct Expected {
    int label, source, object;
    bool operator==(const Expected&) const = default;
  };
  /// Point i against every edge of every area.
  Expected expected(std::size_t i) const {
    const float planarity = values[4 * i], h = values[4 * i + 1], green = values[4 * i + 2];
    Expected result{classes[i], 0, -1};
    if (!valid.empty() && valid[i] == 0) return result;
    int object = 0;
    for (std::size_t l = 0; l < polygons.size() && result.source == 0; object += static_cast<int>(polygons[l].size()), ++l) {
      for (std::size_t a = 0; a < polygons[l].size(); ++a) {
        if (!inside_by_parity(polygons[l][a], position_of(grid, units[i]))) continue;
        for (const auto& [asprs_class, condition] : rules[l]) {
          if (result.source == 0 && known_conditions[static_cast<std::size_t>(condition)].holds(h, planarity, green))
            result = {asprs_class, static_cast<int>(l) + 1, object + static_cast<int>(a)};
        }
        break;
      }
    }
    if (ndvi && result.label == 6 && green >= 0.3F && planarity < 0.5F && !std::isnan(h))
      result = {h < 0.5F ? 3 : h < 1.5F ? 4 : 5, 254, -1};
    return result;
  }

 private:
  template <class Random, class Corner>
  Polygon polygon(Random& random, const Corner& corner, int side, int kind) const {
    const Position centre = corner(0, side);
    const double extent = side * grid.scale;
    switch (kind) {
      case 0: {  // a rectangle on the grid, corners given twice, with a hole
        const Position a = corner(0, side), b = corner(0, side), c = corner(0, side), d = corner(0, side);
        return {{a, {b.x, a.y}, {b.x, a.y}, b, {a.x, b.y}}, {c, {d.x, c.y}, d, {c.x, d.y}}};
      }
      case 1: {  // corners on the grid in any order: crosses itself
        Ring ring;
        for (unsigned i = 0; i < 3 + random() % 12; ++i) ring.push_back(corner(-side, 3 * side));
        return {ring};
      }
      case 2: {  // a simple outline with holes and a second part
        Polygon parts{star(random, centre, 0.1 * extent, 0.4 * extent, 30), star(random, centre, 0.02 * extent, 0.09 * extent, 9)};
        const Position other = corner(0, side);
        parts.push_back(star(random, other, 0.01 * extent, 0.1 * extent, 5));
        return parts;
      }
      case 3: return {star(random, centre, 1e-4, 2 * grid.scale, 6)};                               // tiny
      case 4: return {star(random, centre, 2 * extent, 300 * extent, 40)};                          // far larger than the tile
      case 5: return {{centre, corner(0, side), centre}, {corner(0, side)}, {}, {centre, centre}};  // no surface
      case 6: {                                                                                     // parts that share borders
        const Position a = corner(0, side), b = corner(0, side), c = corner(0, side), d = corner(0, side);
        return {{a, b, c}, {c, b, d}};
      }
      case 7: {  // a needle across the tile
        const Position a = corner(-side, side), b = corner(side, side);
        return {{a, b, {b.x, b.y + grid.scale}}};
      }
      default: {  // many corners in a small place
        Ring ring;
        const Position near{centre.x + 3 * grid.scale, centre.y};
        for (int i = 0; i < 60; ++i)
          ring.push_back(i % 2 == 0 ? Position{near.x, centre.y + i * grid.scale / 4}
                                    : Position{centre.x, centre.y + (i % 7) * grid.scale});
        return {ring};
      }
    }
  }
};

}  // namespace tuile::label::test
