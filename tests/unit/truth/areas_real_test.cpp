#include <gtest/gtest.h>
#include <ogr_api.h>

#include <cmath>
#include <random>

#include "support/test_data.hpp"
#include "truth/vector_files.hpp"
#include "tuile/truth/layer.hpp"
#include "vector_support.hpp"

namespace tuile::truth {
namespace {

bool inside(const LayerAreas& areas, std::size_t area, double x, double y) {
  bool odd = false;
  for (std::uint32_t r = areas.area_begin[area]; r < areas.area_begin[area + 1]; ++r) {
    for (std::uint32_t i = areas.ring_begin[r], end = areas.ring_begin[r + 1], j = end - 1; i < end; j = i++) {
      const Position a = areas.vertices[i], b = areas.vertices[j];
      if ((a.y > y) != (b.y > y) && x < (b.x - a.x) * (y - a.y) / (b.y - a.y) + a.x) odd = !odd;
    }
  }
  return odd;
}

OGRGeometryH parsed(const std::string& wkb) {
  OGRGeometryH geometry = nullptr;
  OGR_G_CreateFromWkb(wkb.data(), nullptr, &geometry, static_cast<int>(wkb.size()));
  return geometry;
}

/// Every object of a real layer against OGR: its validity, and random places in and around its box against OGR's own `contains` on its own
/// geometry (lines: on its own buffer).
void compare(const std::string& folder, const std::string& name, double buffer) {
  const FetchResult fetched = open_vector_files(folder)->fetch(name, {661799.2, 6357551.4, 666491.7, 6362662.7}, 2154, {});
  ASSERT_EQ(fetched.outcome, Outcome::data) << fetched.reason;
  Layer layer;
  layer.name = name;
  if (buffer > 0) {
    layer.buffer = LineBuffer{};
    layer.buffer->otherwise = buffer;
  }
  std::uint64_t repaired = 0;
  const LayerAreas areas = make_areas(fetched.features, layer, repaired);
  ASSERT_EQ(areas.size(), fetched.features.size());
  CPLPushErrorHandler(&CPLQuietErrorHandler);
  std::mt19937 random(17);
  std::uint64_t invalid = 0;
  std::size_t compared = 0, found_inside = 0;
  for (std::size_t a = 0; a < areas.size(); ++a) {
    ASSERT_EQ(areas.ids[a], fetched.features[a].id);
    OGRGeometryH geometry = parsed(fetched.features[a].geometry);
    OGR_G_FlattenTo2D(geometry);
    if (buffer > 0) {
      OGRGeometryH grown = OGR_G_Buffer(geometry, buffer, 8);
      OGR_G_DestroyGeometry(geometry);
      geometry = grown;
    }
    const bool valid = OGR_G_IsValid(geometry) != 0;
    if (!valid) ++invalid;
    const Bounds box = areas.bounds[a].expanded(1);
    std::uniform_real_distribution<double> x(box.min_x, box.max_x), y(box.min_y, box.max_y);
    for (int i = 0; i < 12 && valid; ++i) {
      const double px = x(random), py = y(random);
      OGRGeometryH point = OGR_G_CreateGeometry(wkbPoint);
      OGR_G_SetPoint_2D(point, 0, px, py);
      const bool expected = OGR_G_Contains(geometry, point) != 0;
      OGR_G_DestroyGeometry(point);
      ASSERT_EQ(inside(areas, a, px, py), expected) << areas.ids[a] << " at " << px << " " << py;
      ++compared;
      found_inside += expected ? 1 : 0;
    }
    OGR_G_DestroyGeometry(geometry);
  }
  CPLPopErrorHandler();
  EXPECT_EQ(repaired, invalid);
  EXPECT_GT(found_inside, compared / 10);
}

TEST(AreasReal, AgreeWithOgr) {
  const auto folder = test::test_data("bdtopo_12174");
  if (!folder) GTEST_SKIP() << "no bdtopo_12174 in the test data";
  for (const char* name : {"batiment", "zone_de_vegetation", "surface_hydrographique", "terrain_de_sport"})
    compare(folder->string(), name, 0);
  for (const char* name : {"troncon_de_route", "troncon_de_voie_ferree"}) compare(folder->string(), name, 3.5);
}

TEST(AreasReal, ShapefilesShortNamesAreUnderstood) {
  const auto folder = test::test_data("bdtopo_12174");
  if (!folder) GTEST_SKIP() << "no bdtopo_12174 in the test data";
  const auto source = open_vector_files(folder->string());
  const Bounds commune{661799.2, 6357551.4, 666491.7, 6362662.7};
  Layer rails;
  rails.buffer = LineBuffer{};
  rails.buffer->attribute = "nombre_de_voies";
  rails.buffer->factor = 1.75;
  rails.buffer->otherwise = 40;
  rails.buffer->flat_caps = true;
  rails.attributes = {"cleabs", "nombre_de_voies"};
  std::uint64_t repaired = 0;
  const FetchResult lines = source->fetch("troncon_de_voie_ferree", commune, 2154, {});
  const LayerAreas areas = make_areas(lines.features, rails, repaired);
  ASSERT_EQ(areas.size(), 6U);
  for (std::size_t a = 0; a < areas.size(); ++a) {
    EXPECT_EQ(areas.attributes[a], (std::vector<std::string>{areas.ids[a], "1"}));
    OGRGeometryH line = parsed(lines.features[a].geometry);
    OGREnvelope envelope;
    OGR_G_GetEnvelope(line, &envelope);
    OGR_G_DestroyGeometry(line);
    EXPECT_LT(areas.bounds[a].max_x, envelope.MaxX + 1.76);  // one track: 1.75 m to each side
  }
  Layer water;
  water.only = {{"persistance", AttributeTest::Kind::in, {"Permanent"}, 0, true},
                {"position_par_rapport_au_sol", AttributeTest::Kind::at_least, {}, 0, true}};
  const FetchResult surfaces = source->fetch("surface_hydrographique", commune, 2154, {});
  std::size_t expected = 0;
  for (const Feature& f : surfaces.features)
    expected += to_text(*f.find("PERSISTANC")) == "Permanent" && to_text(*f.find("POS_SOL")) == "0" ? 1 : 0;
  const LayerAreas kept = make_areas(surfaces.features, water, repaired);
  EXPECT_EQ(kept.size(), expected);
  EXPECT_LT(kept.size(), surfaces.features.size());
  EXPECT_GT(kept.size(), 0U);
}

}  // namespace
}  // namespace tuile::truth
