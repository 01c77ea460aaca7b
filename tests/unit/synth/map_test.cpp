#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "support/test_data.hpp"
#include "synth/map_layers.hpp"

namespace tuile::synth {
namespace {

Town town_of(int tiles, std::uint64_t seed = 1) {
  TownOptions options;
  options.tiles_x = options.tiles_y = tiles;
  options.seed = seed;
  return make_town(options);
}

/// The doubles of little-endian WKB, whatever its structure: all that lie in Lambert-93 or among heights.
struct Coordinates {
  std::vector<double> places, heights;
  explicit Coordinates(const std::string& wkb) {
    std::size_t at = 0;
    geometry(wkb, at);
    EXPECT_EQ(at, wkb.size());
  }

 private:
  template <class T>
  static T take(const std::string& wkb, std::size_t& at) {
    T value{};
    if (at + sizeof(T) <= wkb.size()) std::memcpy(&value, wkb.data() + at, sizeof(T));
    at += sizeof(T);
    return value;
  }
  void points(const std::string& wkb, std::size_t& at, bool z) {
    for (auto left = take<std::uint32_t>(wkb, at); left > 0 && at < wkb.size(); --left) {
      places.push_back(take<double>(wkb, at));
      places.push_back(take<double>(wkb, at));
      if (z) heights.push_back(take<double>(wkb, at));
    }
  }
  void geometry(const std::string& wkb, std::size_t& at) {
    EXPECT_EQ(take<std::uint8_t>(wkb, at), 1);
    const auto type = take<std::uint32_t>(wkb, at);
    const bool z = type > 1000;
    if (type % 1000 == 2) return points(wkb, at, z);
    for (auto left = take<std::uint32_t>(wkb, at); left > 0 && at < wkb.size(); --left) {
      if (type % 1000 == 3) {
        points(wkb, at, z);
      } else {
        geometry(wkb, at);
      }
    }
  }
};

TEST(Map, HasEveryLayerOfTheTable) {
  const auto layers = map_layers(town_of(3));
  const std::vector<std::string> expected{"batiment",
                                          "construction_surfacique",
                                          "troncon_de_voie_ferree",
                                          "troncon_de_route",
                                          "surface_hydrographique",
                                          "zone_de_vegetation",
                                          "terrain_de_sport",
                                          "cimetiere",
                                          "ligne_electrique"};
  ASSERT_EQ(layers.size(), expected.size());
  std::set<std::string> ids;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    EXPECT_EQ(layers[i].name, expected[i]);
    EXPECT_FALSE(layers[i].features.empty()) << expected[i];
    for (const truth::Feature& feature : layers[i].features) {
      EXPECT_EQ(feature.id.size(), 24U) << feature.id;
      EXPECT_EQ(feature.id.find_first_not_of("0123456789", 8), std::string::npos) << feature.id;
      EXPECT_TRUE(ids.insert(feature.id).second) << feature.id << " comes twice";
      ASSERT_NE(feature.find("cleabs"), nullptr);
      EXPECT_EQ(truth::to_text(*feature.find("cleabs")), feature.id);
      const Coordinates coordinates(feature.geometry);
      for (const double value : coordinates.places) EXPECT_EQ(value, std::round(value * 1000) / 1000) << "not whole millimetres";
      if (expected[i] == "batiment") {
        ASSERT_FALSE(coordinates.heights.empty());
        for (const double height : coordinates.heights)
          EXPECT_EQ(truth::to_text(height), truth::to_text(*feature.find("altitude_minimale_toit")));
      } else {
        EXPECT_TRUE(coordinates.heights.empty());
      }
    }
  }
}

TEST(Map, LargerTownsHoldTheSameObjects) {
  const auto small = map_layers(town_of(2)), large = map_layers(town_of(3));
  for (std::size_t i = 0; i + 1 < small.size(); ++i) {  // all but the power line, which is hung across the town's middle
    std::map<std::string, const truth::Feature*> by_id;
    for (const truth::Feature& feature : large[i].features) by_id[feature.id] = &feature;
    for (const truth::Feature& feature : small[i].features) {
      ASSERT_TRUE(by_id.contains(feature.id)) << feature.id;
      EXPECT_EQ(by_id[feature.id]->geometry, feature.geometry) << feature.id;
      EXPECT_EQ(by_id[feature.id]->attributes, feature.attributes) << feature.id;
    }
  }
}

TEST(Map, HasTheCasesThatLabelsMustSurvive) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Town town = town_of(3, seed);
    std::size_t courtyards = 0, parts = 0, unknown_widths = 0;
    std::set<std::string> origins;
    for (const Outline& outline : town.outlines) {
      courtyards += outline.parts.size() == 1 && outline.parts[0].size() == 2;
      parts += outline.parts.size() == 2;
      origins.insert(outline.origin);
      EXPECT_GT(outline.eave - outline.ground, 2.7);
      EXPECT_GE(outline.ridge, outline.eave);
    }
    EXPECT_GT(courtyards, 0U);
    EXPECT_GT(parts, 0U);
    EXPECT_EQ(origins.size(), 2U);
    // What the map does not say must be what the default by nature says.
    for (const Road& road : town.roads) {
      if (road.width_known) continue;
      ++unknown_widths;
      EXPECT_EQ(road.width, road.nature == "Route à 2 chaussées" ? 7 : 5);
    }
    EXPECT_GT(unknown_widths, town.roads.size() / 6);
    EXPECT_LT(unknown_widths, town.roads.size() / 3);
    std::set<bool> hidden;
    for (const HiddenWater& water : town.hidden_waters) hidden.insert(water.underground);
    EXPECT_EQ(hidden.size(), 2U);
  }
}

TEST(Map, AttributesAreThoseOfTheSchemas) {
  if (!test::test_data("bdtopo_schemas")) GTEST_SKIP() << "bdtopo_schemas is not here";
  for (const truth::VectorLayer& layer : map_layers(town_of(3))) {
    std::ifstream file(*test::test_data("bdtopo_schemas") / (layer.name + ".json"));
    const auto properties = nlohmann::json::parse(file).at("properties");
    EXPECT_EQ(properties.at("geometrie").at("format"), layer.geometry == "LineString" ? "geometry-linestring" : "geometry-multipolygon");
    for (const truth::Feature& feature : layer.features) {
      for (const auto& [name, value] : feature.attributes) {
        ASSERT_TRUE(properties.contains(name)) << layer.name << "." << name;
        const auto& property = properties.at(name);
        if (std::holds_alternative<std::monostate>(value)) continue;
        const std::string type = property.at("type");
        EXPECT_TRUE((type == "string" && std::holds_alternative<std::string>(value)) ||
                    (type == "number" && std::holds_alternative<double>(value)) ||
                    (type == "integer" && std::holds_alternative<std::int64_t>(value)) ||
                    (type == "boolean" && std::holds_alternative<bool>(value)))
            << layer.name << "." << name << " is no " << type;
        if (!property.contains("oneOf")) continue;
        bool allowed = false;
        for (const auto& one : property.at("oneOf")) allowed = allowed || one.at("const") == truth::to_text(value);
        EXPECT_TRUE(allowed) << layer.name << "." << name << " = " << truth::to_text(value);
      }
    }
  }
}

}  // namespace
}  // namespace tuile::synth
