#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "tuile/truth/layer.hpp"
#include "wkb_builder.hpp"

namespace tuile::truth {
namespace {

using test::Wkb;

Feature feature(const std::string& id, const std::string& geometry, std::vector<std::pair<std::string, AttributeValue>> attributes = {}) {
  return {id, geometry, std::move(attributes)};
}

/// Inside by the contract of LayerAreas: a ray crosses the area's rings an odd number of times. Written for the test.
bool inside(const LayerAreas& areas, std::size_t area, double x, double y) {
  bool odd = false;
  for (std::uint32_t r = areas.area_begin[area]; r < areas.area_begin[area + 1]; ++r) {
    const std::uint32_t begin = areas.ring_begin[r], end = areas.ring_begin[r + 1];
    for (std::uint32_t i = begin, j = end - 1; i < end; j = i++) {
      const Position a = areas.vertices[i], b = areas.vertices[j];
      if ((a.y > y) != (b.y > y) && x < (b.x - a.x) * (y - a.y) / (b.y - a.y) + a.x) odd = !odd;
    }
  }
  return odd;
}

double signless_area(const LayerAreas& areas, std::size_t area) {
  // Shells and holes by their turn: normal form and the tests' own polygons wind holes against their shell.
  double sum = 0;
  for (std::uint32_t r = areas.area_begin[area]; r < areas.area_begin[area + 1]; ++r) {
    for (std::uint32_t i = areas.ring_begin[r], end = areas.ring_begin[r + 1], j = end - 1; i < end; j = i++) {
      sum += areas.vertices[j].x * areas.vertices[i].y - areas.vertices[i].x * areas.vertices[j].y;
    }
  }
  return std::abs(sum) / 2;
}

double distance_to(const Wkb::Points& line, double x, double y) {
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t i = 1; i < line.size(); ++i) {
    const double ax = line[i - 1][0], ay = line[i - 1][1], dx = line[i][0] - ax, dy = line[i][1] - ay;
    const double length = dx * dx + dy * dy;
    const double t = length > 0 ? std::clamp(((x - ax) * dx + (y - ay) * dy) / length, 0.0, 1.0) : 0;
    best = std::min(best, std::hypot(x - ax - t * dx, y - ay - t * dy));
  }
  return best;
}

Layer buffered(double otherwise, bool flat = false) {
  Layer layer;
  layer.name = "roads";
  layer.buffer = LineBuffer{};
  layer.buffer->otherwise = otherwise;
  layer.buffer->flat_caps = flat;
  return layer;
}

LayerAreas areas_of(const std::vector<Feature>& features, const Layer& layer, std::uint64_t& repaired) {
  return make_areas(features, layer, repaired);
}

LayerAreas areas_of(const std::vector<Feature>& features, const Layer& layer) {
  std::uint64_t repaired = 0;
  LayerAreas areas = make_areas(features, layer, repaired);
  EXPECT_EQ(repaired, 0U);
  return areas;
}

TEST(Areas, PolygonWithHoleIsTakenBitForBitWithoutClosingVertex) {
  const double x = 652345.1 + 1e-10, y = 6862345.7;
  const Wkb::Points shell = {{x, y, 12}, {x + 30.3, y + 0.1, 13}, {x + 30.7, y + 20.9, 14}, {x - 0.2, y + 21.1, 15}, {x, y, 12}};
  const Wkb::Points hole = {{x + 5, y + 5, 0}, {x + 5, y + 9, 0}, {x + 9, y + 9, 0}, {x + 9, y + 5, 0}, {x + 5, y + 5, 0}};
  Layer layer;
  const LayerAreas areas = areas_of({feature("a", Wkb::polygon({shell, hole}))}, layer);
  ASSERT_EQ(areas.size(), 1U);
  ASSERT_EQ(areas.ring_begin, (std::vector<std::uint32_t>{0, 4, 8}));
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(areas.vertices[i], (Position{shell[i][0], shell[i][1]}));
    EXPECT_EQ(areas.vertices[4 + i], (Position{hole[i][0], hole[i][1]}));
  }
  EXPECT_EQ(areas.bounds[0], (Bounds{x - 0.2, y, x + 30.7, y + 21.1}));
  EXPECT_TRUE(inside(areas, 0, x + 2, y + 2));
  EXPECT_FALSE(inside(areas, 0, x + 7, y + 7));
}

TEST(Areas, MultiPolygonCollectionAndIslandInAHole) {
  const std::string island = Wkb::polygon({Wkb::square(4, 4, 2)});
  const Wkb::Points hole = {{3, 3}, {3, 7}, {7, 7}, {7, 3}, {3, 3}};
  const std::string ring = Wkb::polygon({Wkb::square(0, 0, 10), hole});
  const LayerAreas areas = areas_of(
      {feature("multi", Wkb::collection(6, {ring, island})),
       feature("collection", Wkb::collection(7, {Wkb::point({1, 2}), Wkb::collection(6, {ring, island}), Wkb::line({{0, 0}, {9, 9}})}))},
      Layer{});
  ASSERT_EQ(areas.ids, (std::vector<std::string>{"collection", "multi"}));
  for (std::size_t a = 0; a < 2; ++a) {
    EXPECT_TRUE(inside(areas, a, 1, 1));
    EXPECT_FALSE(inside(areas, a, 3.5, 3.5));
    EXPECT_TRUE(inside(areas, a, 5, 5));
    EXPECT_FALSE(inside(areas, a, 11, 5));
  }
}

TEST(Areas, LinesAndPointsWithoutBufferGiveNone) {
  EXPECT_EQ(areas_of({feature("l", Wkb::line({{0, 0}, {9, 9}})), feature("p", Wkb::point({1, 2})), feature("none", "")}, Layer{}).size(),
            0U);
}

TEST(Areas, SortedByIdEachOnce) {
  const LayerAreas areas = areas_of({feature("b", Wkb::polygon({Wkb::square(0, 0, 1)})), feature("a", Wkb::polygon({Wkb::square(5, 0, 1)})),
                                     feature("b", Wkb::polygon({Wkb::square(9, 0, 1)}))},
                                    Layer{});
  EXPECT_EQ(areas.ids, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(areas.bounds[1].min_x, 0);
}

TEST(Areas, BowTieIsMendedAndCountedOnce) {
  std::uint64_t repaired = 0;
  const std::string bow = Wkb::polygon({{{0, 0}, {10, 10}, {10, 0}, {0, 10}, {0, 0}}});
  const LayerAreas areas = areas_of({feature("bow", bow), feature("good", Wkb::polygon({Wkb::square(20, 0, 3)}))}, Layer{}, repaired);
  EXPECT_EQ(repaired, 1U);
  ASSERT_EQ(areas.size(), 2U);
  EXPECT_NEAR(signless_area(areas, 0), 50, 1e-9);
  EXPECT_TRUE(inside(areas, 0, 1, 5));
  EXPECT_TRUE(inside(areas, 0, 9, 5));
  EXPECT_FALSE(inside(areas, 0, 5, 1));
  EXPECT_FALSE(inside(areas, 0, 5, 9));
}

TEST(Areas, OverlappingPartsAndRingsThatWindTwiceCoverTheirUnion) {
  std::uint64_t repaired = 0;
  const std::string parts = Wkb::collection(6, {Wkb::polygon({Wkb::square(0, 0, 10)}), Wkb::polygon({Wkb::square(5, 5, 10)})});
  const std::string outside_hole = Wkb::polygon({Wkb::square(0, 0, 10), Wkb::square(8, 8, 4)});
  const LayerAreas areas = areas_of({feature("hole", outside_hole), feature("parts", parts)}, Layer{}, repaired);
  EXPECT_EQ(repaired, 2U);
  ASSERT_EQ(areas.size(), 2U);
  EXPECT_TRUE(inside(areas, 1, 7, 7));  // where counting the raw rings would find an even number
  EXPECT_TRUE(inside(areas, 1, 1, 1));
  EXPECT_TRUE(inside(areas, 1, 14, 14));
  EXPECT_NEAR(signless_area(areas, 1), 175, 1e-9);
  EXPECT_TRUE(inside(areas, 0, 1, 1));
  EXPECT_FALSE(inside(areas, 0, 9, 9));
}

TEST(Areas, RingsWithoutAreaAndPlacesThatAreNoneAreLeftOutAndCounted) {
  std::uint64_t repaired = 0;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Feature> features = {
      feature("a open", Wkb::polygon({{{0, 0}, {10, 0}, {10, 10}, {0, 10}}})),
      feature("b spike hole", Wkb::polygon({Wkb::square(0, 0, 10), {{1, 1}, {2, 2}, {1, 1}}})),
      feature("c flat", Wkb::polygon({{{0, 0}, {5, 5}, {0, 0}}})),
      feature("d nan", Wkb::polygon({{{0, 0}, {10, 0}, {nan, 3}, {10, 10}, {0, 10}, {0, 0}}})),
      feature("e collinear", Wkb::polygon({{{0, 0}, {5, 5}, {9, 9}, {0, 0}}})),
      feature("f cut", Wkb::polygon({Wkb::square(0, 0, 10)}).substr(0, 40)),
  };
  const LayerAreas areas = areas_of(features, Layer{}, repaired);
  EXPECT_EQ(repaired, 6U);
  ASSERT_EQ(areas.ids, (std::vector<std::string>{"a open", "b spike hole", "d nan"}));
  for (std::size_t a = 0; a < 3; ++a) EXPECT_NEAR(signless_area(areas, a), 100, 1e-9);
}

TEST(Areas, CurvePolygonIsLinearised) {
  // A circle of radius 10 about (100, 200): two half arcs.
  const LayerAreas areas =
      areas_of({feature("disc", Wkb::curve_polygon({{90, 200}, {100, 210}, {110, 200}, {100, 190}, {90, 200}}))}, Layer{});
  ASSERT_EQ(areas.size(), 1U);
  EXPECT_GT(areas.vertices.size(), 60U);
  for (const Position& v : areas.vertices) EXPECT_NEAR(std::hypot(v.x - 100, v.y - 200), 10, 1e-9);
  EXPECT_NEAR(signless_area(areas, 0), 100 * std::acos(-1.0), 0.3);
}

TEST(Areas, BufferHoldsExactlyThePlacesWithinTheDistance) {
  const Wkb::Points line = {{0, 0, 1}, {30, 4, 2}, {36, 25, 3}, {60, 20, 4}};
  const LayerAreas areas = areas_of({feature("r", Wkb::line(line))}, buffered(5));
  ASSERT_EQ(areas.size(), 1U);
  std::mt19937 random(7);
  std::uniform_real_distribution<double> x(-10, 70), y(-10, 35);
  int in = 0, out = 0;
  for (int i = 0; i < 20000; ++i) {
    const double px = x(random), py = y(random), d = distance_to(line, px, py);
    if (std::abs(d - 5) < 0.06) continue;  // chords of 11.25 degrees and GEOS's simplification of the input, 1 % of the distance
    ASSERT_EQ(inside(areas, 0, px, py), d < 5) << px << " " << py;
    (d < 5 ? in : out)++;
  }
  EXPECT_GT(in, 1000);
  EXPECT_GT(out, 1000);
}

TEST(Areas, CrossingLinesOfOneObjectAreUnited) {
  const std::string cross = Wkb::collection(5, {Wkb::line({{-20, 0}, {20, 0}}), Wkb::line({{0, -20}, {0, 20}})});
  const LayerAreas areas = areas_of(
      {feature("x", cross), feature("y", Wkb::collection(7, {Wkb::line({{0, 0}, {20, 0}}), Wkb::polygon({Wkb::square(15, -5, 10)})}))},
      buffered(2));
  EXPECT_TRUE(inside(areas, 0, 0.1, 0.1));
  EXPECT_TRUE(inside(areas, 0, -19, 1));
  EXPECT_FALSE(inside(areas, 0, 5, 5));
  EXPECT_TRUE(inside(areas, 1, 17, 0.1));  // in the polygon and in the buffer
  EXPECT_TRUE(inside(areas, 1, 24, 4));
  EXPECT_TRUE(inside(areas, 1, 1, 1));
  EXPECT_FALSE(inside(areas, 1, 24, 5.1));
}

TEST(Areas, PolygonsOfABufferedLayerKeepTheirOutline) {
  const LayerAreas areas = areas_of({feature("p", Wkb::polygon({Wkb::square(0, 0, 10)}))}, buffered(3));
  EXPECT_EQ(areas.bounds.at(0), (Bounds{0, 0, 10, 10}));
}

TEST(Areas, FlatCapsEndWhereTheLineEnds) {
  const LayerAreas flat = areas_of({feature("r", Wkb::line({{0, 0}, {100, 0}}))}, buffered(4, true));
  EXPECT_EQ(flat.bounds.at(0), (Bounds{0, -4, 100, 4}));
  EXPECT_FALSE(inside(flat, 0, -0.01, 1));
  EXPECT_FALSE(inside(flat, 0, 100.01, 1));
  EXPECT_TRUE(inside(flat, 0, 0.01, 3.99));
  const LayerAreas round = areas_of({feature("r", Wkb::line({{0, 0}, {100, 0}}))}, buffered(4));
  EXPECT_NEAR(round.bounds.at(0).min_x, -4, 1e-9);
}

TEST(Areas, WidthComesFromTheAttributeElseByNatureElseOtherwise) {
  Layer layer = buffered(2);
  layer.buffer->attribute = "largeur_de_chaussee";
  layer.buffer->factor = 0.5;
  layer.buffer->by_value = {{"Sentier", 0.75}};
  layer.buffer->plus = 0.5;
  layer.attributes = {"nature", "largeur_de_chaussee", "absent"};
  const std::string line = Wkb::line({{0, 0}, {100, 0}});
  using Values = std::vector<std::pair<std::string, AttributeValue>>;
  const struct {
    Values values;
    double half;
  } cases[] = {
      {{{"largeur_de_chaussee", 6.0}}, 3.5},
      {{{"LARGEUR_DE_CHAUSSEE", std::int64_t{6}}}, 3.5},
      {{{"largeur_de_chaussee", std::string(" 6.0 ")}}, 3.5},
      {{{"LARGEUR", 6.0}}, 3.5},
      {{{"largeur_de", 6.0}}, 3.5},
      {{{"largeur_de_chaussee", std::string("large")}}, 2.5},
      {{{"largeur_de_chaussee", 0.0}, {"nature", std::string("Sentier")}}, 1.25},
      {{{"largeur_de_chaussee", -3.0}, {"nature", std::string("Sentier")}}, 1.25},
      {{{"largeur_de_chaussee", std::monostate{}}, {"nature", std::string("Route")}}, 2.5},
      {{}, 2.5},
      {{{"largeur_de_chaussee", 1e9}}, 50.5},
  };
  for (const auto& one : cases) {
    const LayerAreas areas = areas_of({feature("r", line, one.values)}, layer);
    ASSERT_EQ(areas.size(), 1U);
    EXPECT_NEAR(areas.bounds[0].max_y, one.half, 1e-9);
  }
  const LayerAreas areas = areas_of({feature("r", line, cases[6].values)}, layer);
  EXPECT_EQ(areas.attributes.at(0), (std::vector<std::string>{"Sentier", "0", ""}));
  EXPECT_EQ(reach(layer), 50.5);
  layer.buffer->attribute.clear();
  EXPECT_EQ(reach(layer), 2.5);
  EXPECT_EQ(reach(Layer{}), 0);
  layer.buffer->otherwise = 0;
  layer.buffer->plus = 0;
  EXPECT_EQ(areas_of({feature("r", line)}, layer).size(), 0U);
}

TEST(Areas, AttributeTestsDecideWhichFeaturesCount) {
  const std::string square = Wkb::polygon({Wkb::square(0, 0, 10)});
  const auto counts = [&](const AttributeTest& test, const AttributeValue& value) {
    Layer layer;
    layer.only = {test};
    return areas_of({feature("a", square, {{"Value", value}})}, layer).size() == 1;
  };
  using Kind = AttributeTest::Kind;
  const AttributeTest bridge{"value", Kind::in, {"Pont", "0"}, 0, false};
  EXPECT_TRUE(counts(bridge, std::string("Pont")));
  EXPECT_FALSE(counts(bridge, std::string("pont")));
  EXPECT_TRUE(counts(bridge, std::int64_t{0}));
  EXPECT_TRUE(counts(bridge, std::string("0.0")));
  EXPECT_FALSE(counts(bridge, std::monostate{}));
  EXPECT_FALSE(counts(bridge, std::string()));
  const AttributeTest ground{"value", Kind::at_least, {}, 0, true};
  EXPECT_TRUE(counts(ground, std::string("0")));
  EXPECT_TRUE(counts(ground, std::string("+1")));
  EXPECT_FALSE(counts(ground, std::string("-1")));
  EXPECT_FALSE(counts(ground, std::int64_t{-2}));
  EXPECT_TRUE(counts(ground, std::string("Gué ou radier")));
  EXPECT_TRUE(counts(ground, std::monostate{}));
  EXPECT_TRUE(counts(ground, std::numeric_limits<double>::quiet_NaN()));
  const AttributeTest below{"value", Kind::at_most, {}, 3.5, false};
  EXPECT_TRUE(counts(below, 3.5));
  EXPECT_FALSE(counts(below, 3.6));
  EXPECT_FALSE(counts(below, std::string("deep")));
  const AttributeTest other{"value", Kind::not_in, {"Pont"}, 0, true};
  EXPECT_FALSE(counts(other, std::string("Pont")));
  EXPECT_TRUE(counts(other, std::string("Quai")));
  EXPECT_TRUE(counts({"elsewhere", Kind::in, {"x"}, 0, true}, 1.0));
  EXPECT_FALSE(counts({"elsewhere", Kind::in, {"x"}, 0, false}, 1.0));
}

TEST(Areas, DefinitionTellsLayersApart) {
  Layer layer = buffered(2);
  layer.attributes = {"ab", "c"};
  layer.only = {{"nature", AttributeTest::Kind::in, {"Pont"}, 0, true}};
  std::vector<Layer> others(8, layer);
  others[0].name = "x";
  others[1].attributes = {"a", "bc"};
  others[2].only[0].when_missing = false;
  others[3].only[0].kind = AttributeTest::Kind::not_in;
  others[4].buffer->flat_caps = true;
  others[5].buffer->plus = 0.1;
  others[6].buffer.reset();
  others[7].buffer->by_value["a"] = 1;
  EXPECT_EQ(definition(layer), definition(Layer(layer)));
  for (const Layer& other : others) EXPECT_NE(definition(layer), definition(other));
}

TEST(Areas, OtherByteOrderAndExtendedWkbReadAlike) {
  std::string big(1, '\0');
  const auto put = [&](auto value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    for (std::size_t i = sizeof value; i > 0; --i) big += raw[i - 1];
  };
  put(std::uint32_t{0xA0000003U});  // polygon with Z and an SRID
  put(std::uint32_t{2154});
  put(std::uint32_t{1});
  put(std::uint32_t{5});
  for (const auto& place : Wkb::square(3, 4, 10)) {
    put(place[0]);
    put(place[1]);
    put(99.0);
  }
  const LayerAreas areas = areas_of({feature("a", big)}, Layer{});
  ASSERT_EQ(areas.size(), 1U);
  EXPECT_EQ(areas.bounds[0], (Bounds{3, 4, 13, 14}));
}

TEST(Areas, WkbCutOrGarbledNeverCrashes) {
  const Wkb::Points hole = {{3, 3}, {3, 7}, {7, 7}, {7, 3}, {3, 3}};
  const std::string good = Wkb::collection(
      7, {Wkb::collection(6, {Wkb::polygon({Wkb::square(0, 0, 10), hole})}), Wkb::line({{0, 0}, {20, 3}}), Wkb::point({4, 4})});
  std::vector<Feature> features;
  for (std::size_t size = 0; size < good.size(); ++size) features.push_back(feature("cut " + std::to_string(size), good.substr(0, size)));
  std::uint64_t repaired = 0;
  EXPECT_EQ(make_areas(features, buffered(2), repaired).size(), 0U);
  EXPECT_EQ(repaired, features.size() - 1);  // nothing at all is no damage
  std::mt19937 random(3);
  for (int i = 0; i < 4000; ++i) {
    std::string bytes = good;
    for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = static_cast<char>(random());
    const std::vector<Feature> one = {feature("f", bytes)};
    const LayerAreas areas = make_areas(one, buffered(2), repaired);
    ASSERT_EQ(areas.area_begin.size(), areas.size() + 1);
    ASSERT_EQ(areas.ring_begin.back(), areas.vertices.size());
  }
}

}  // namespace
}  // namespace tuile::truth
