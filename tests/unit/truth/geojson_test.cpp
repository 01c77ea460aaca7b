#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "recorded.hpp"
#include "truth/wfs.hpp"
#include "truth/wkb_bounds.hpp"

namespace tuile::test {
namespace {

using truth::AttributeValue;
using truth::Feature;
using truth::GeoJsonPage;
using Json = nlohmann::ordered_json;

/// Every number that nlohmann's reading of coordinates holds, in order: what the WKB must hold, however it is framed.
void collect(const Json& json, std::vector<double>& numbers) {
  if (json.is_number()) numbers.push_back(json.get<double>());
  if (json.is_array()) {
    for (const Json& part : json) collect(part, numbers);
  }
}

/// The numbers of a WKB, framing left out, read by the letter of the format.
void collect_wkb(const std::string& wkb, std::size_t& at, std::vector<double>& numbers) {
  const auto integer = [&] {
    std::uint32_t value = 0;
    std::memcpy(&value, wkb.data() + at, 4);
    at += 4;
    return value;
  };
  ASSERT_EQ(wkb.at(at), 1);
  ++at;
  const std::uint32_t code = integer();
  const auto places = [&](std::uint32_t count) {
    for (std::uint32_t i = 0; i < count * (code > 1000 ? 3u : 2u); ++i, at += 8) {
      double value = 0;
      std::memcpy(&value, wkb.data() + at, 8);
      numbers.push_back(value);
    }
  };
  switch (code % 1000) {
    case 1: places(1); break;
    case 2: places(integer()); break;
    case 3:
      for (std::uint32_t rings = integer(); rings > 0; --rings) places(integer());
      break;
    default:
      for (std::uint32_t parts = integer(); parts > 0; --parts) collect_wkb(wkb, at, numbers);
  }
}

std::vector<double> numbers_of(const std::string& wkb) {
  std::vector<double> numbers;
  std::size_t at = 0;
  collect_wkb(wkb, at, numbers);
  EXPECT_EQ(at, wkb.size());
  return numbers;
}

Json as_json(const AttributeValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return nullptr;
}

TEST(GeoJson, RecordedAnswersAsAnotherLibraryReadsThem) {
  const auto paths = recorded_answers();
  if (paths.empty()) GTEST_SKIP() << "no test data on this machine";
  std::size_t features = 0;
  for (const auto& path : paths) {
    SCOPED_TRACE(path.filename());
    const std::string text = read_text(path);
    const GeoJsonPage page = truth::parse_geojson(text, "cleabs");
    const Json json = Json::parse(text);
    ASSERT_EQ(page.entries, json["features"].size());
    ASSERT_EQ(page.features.size(), page.entries);
    EXPECT_EQ(page.invalid, 0u);
    EXPECT_EQ(page.matched, json.contains("numberMatched") ? json["numberMatched"].get<long long>() : -1);
    for (std::size_t i = 0; i < page.features.size(); ++i, ++features) {
      const Feature& feature = page.features[i];
      const Json& entry = json["features"][i];
      const Json& properties = entry["properties"];
      ASSERT_EQ(feature.id, properties.contains("cleabs") ? properties["cleabs"].get<std::string>() : entry["id"].get<std::string>());
      std::vector<double> coordinates;
      collect(entry["geometry"]["coordinates"], coordinates);
      ASSERT_EQ(numbers_of(feature.geometry), coordinates) << feature.id;
      Json attributes = Json::object();
      for (const auto& [name, value] : feature.attributes) attributes[name] = as_json(value);
      ASSERT_EQ(attributes, properties) << feature.id;
    }
  }
  EXPECT_GT(features, 10000u);
}

// Numbers taken with Python's json module.
TEST(GeoJson, RecordedAnswersInNumbers) {
  const auto batiment = test_data("wfs/BDTOPO_V3_batiment__21eb8472.geojson"),
             index = test_data("wfs/IGNF_LIDAR-HD_TA_nuage-dalle.geojson"),
             roads = test_data("bdtopo_geojson/BDTOPO_V3_troncon_de_route_-3396667416691710227.geojson"),
             empty = test_data("wfs/BDTOPO_V3_plan_d_eau.geojson");
  if (!batiment || !index || !roads || !empty) GTEST_SKIP() << "no test data on this machine";
  const GeoJsonPage buildings = truth::parse_geojson(read_text(*batiment), "cleabs");
  EXPECT_EQ(buildings.features.size(), 75u);
  EXPECT_EQ(buildings.matched, 75);
  EXPECT_EQ(buildings.epsg, 4326);
  const GeoJsonPage tiles = truth::parse_geojson(read_text(*index), "cleabs");
  EXPECT_EQ(tiles.features.size(), 5000u);
  EXPECT_EQ(tiles.matched, 429028);
  EXPECT_EQ(tiles.epsg, 2154);
  EXPECT_EQ(tiles.features.front().id, "nuage-dalle.1");
  EXPECT_EQ(truth::wkb_bounds(tiles.features.front().geometry), (Bounds{186000, 6833000, 187000, 6834000}));
  Bounds all;
  for (const Feature& tile : tiles.features) {
    const Bounds box = truth::wkb_bounds(tile.geometry);
    all = {std::min(all.min_x, box.min_x), std::min(all.min_y, box.min_y), std::max(all.max_x, box.max_x), std::max(all.max_y, box.max_y)};
  }
  EXPECT_EQ(all, (Bounds{186000, 6224000, 386000, 6887000}));  // the answer's own bbox
  const GeoJsonPage lines = truth::parse_geojson(read_text(*roads), "cleabs");
  EXPECT_EQ(lines.features.front().id, "TRONROUT0000002009945885");
  EXPECT_EQ(std::get<std::string>(*lines.features.front().find("position_par_rapport_au_sol")), "0");
  EXPECT_EQ(truth::to_text(*lines.features.front().find("Nombre_De_Voies")), "1");
  EXPECT_EQ(lines.matched, -1);
  const GeoJsonPage none = truth::parse_geojson(read_text(*empty), "cleabs");
  EXPECT_EQ(none.entries, 0u);
  EXPECT_EQ(none.matched, 0);
  EXPECT_EQ(none.epsg, 0);
}

GeoJsonPage collection(const std::string& features, const std::string& more = "") {
  return truth::parse_geojson(R"({"type":"FeatureCollection",)" + more + R"("features":[)" + features + "]}", "cleabs");
}
GeoJsonPage with_geometry(const std::string& geometry) { return collection(R"({"type":"Feature","id":"a","geometry":)" + geometry + "}"); }

TEST(GeoJson, GeometriesOfEveryType) {
  struct Case {
    std::string geometry;
    std::uint32_t code;
    std::vector<double> numbers;
  };
  for (
      const Case& c : {
          Case{R"({"type":"Point","coordinates":[1,2]})", 1, {1, 2}},
          Case{R"({"coordinates":[1,2,3],"type":"Point"})", 1001, {1, 2, 3}},
          Case{R"({"type":"Point","coordinates":[1,2,3,4]})", 1001, {1, 2, 3}},
          Case{R"({"type":"Point","coordinates":["1.5"," -2 "]})", 1, {1.5, -2}},
          Case{R"({"type":"Point","coordinates":[1,2,null]})", 1, {1, 2}},
          Case{R"({"type":"Point","coordinates":[1,2,NaN]})", 1, {1, 2}},
          Case{R"({"type":"LineString","coordinates":[[1,2,3],[4,5]]})", 2, {1, 2, 4, 5}},
          Case{R"({"type":"LineString","coordinates":[[1,2,3],[],[4,5,6]]})", 1002, {1, 2, 3, 4, 5, 6}},
          Case{R"({"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1]]]})", 3, {0, 0, 1, 0, 1, 1, 0, 0}},
          Case{R"({"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,0]],[[1,1]]]})", 3, {0, 0, 9, 0, 9, 9, 0, 0}},
          Case{R"({"type":"MultiPoint","coordinates":[[1,2],[],[3,4]]})", 4, {1, 2, 3, 4}},
          Case{R"({"type":"MultiLineString","coordinates":[[[1,2]],[[1,2],[3,4]]]})", 5, {1, 2, 3, 4}},
          Case{R"({"type":"MultiPolygon","coordinates":[[[[0,0],[1,1]],[[0,0],[1,0],[1,1]]],[[[0,0],[1,0],[1,1]]]]})",
               6,
               {0, 0, 1, 0, 1, 1, 0, 0}},
          Case{
              R"({"type":"GeometryCollection","geometries":[{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]}]},null,)"
              R"({"type":"Point","coordinates":[]},{"type":"Point","coordinates":[3,4]}]})",
              7,
              {1, 2, 3, 4}},
          Case{R"({"type":"Point","coordinates":[1e2,-0.0,1.7976931348623157e-5],"bbox":[1,2,3]})",
               1001,
               {100, -0.0, 1.7976931348623157e-5}},
      }) {
    SCOPED_TRACE(c.geometry);
    const GeoJsonPage page = with_geometry(c.geometry);
    ASSERT_EQ(page.features.size(), 1u);
    std::uint32_t code = 0;
    std::memcpy(&code, page.features[0].geometry.data() + 1, 4);
    EXPECT_EQ(code, c.code);
    EXPECT_EQ(numbers_of(page.features[0].geometry), c.numbers);
  }
}

TEST(GeoJson, WhatIsNoGeometryIsLeftOutAndCounted) {
  for (const char* geometry : {"null",
                               "7",
                               "[]",
                               "{}",
                               R"({"type":"Point"})",
                               R"({"type":"Point","coordinates":[]})",
                               R"({"type":"Point","coordinates":null})",
                               R"({"type":"Point","coordinates":[1]})",
                               R"({"type":"Point","coordinates":[1,null]})",
                               R"({"type":"Point","coordinates":[1,"x"]})",
                               R"({"type":"Point","coordinates":[NaN,2]})",
                               R"({"type":"Point","coordinates":[1,-Infinity]})",
                               R"({"type":"Point","coordinates":[1e999,2]})",
                               R"({"type":"Point","coordinates":[1,2e9]})",
                               R"({"type":"Point","coordinates":{"x":1}})",
                               R"({"type":"Point","coordinates":[[1,2]]})",
                               R"({"type":"Polygon","coordinates":[[1,2],[3,4]]})",
                               R"({"type":"Polygon","coordinates":[]})",
                               R"({"type":"Polygon","coordinates":[[]]})",
                               R"({"type":"LineString","coordinates":[[1,2]]})",
                               R"({"type":"Circle","coordinates":[1,2]})",
                               R"({"type":7,"coordinates":[1,2]})",
                               R"({"type":"GeometryCollection","geometries":[]})",
                               R"({"type":"GeometryCollection","geometries":[7]})",
                               R"({"coordinates":[1,2]})"}) {
    const GeoJsonPage page = with_geometry(geometry);
    EXPECT_EQ(page.entries, 1u) << geometry;
    EXPECT_EQ(page.invalid, 1u) << geometry;
    EXPECT_TRUE(page.features.empty()) << geometry;
  }
  const GeoJsonPage page =
      collection(R"(7,null,"a",[1],{},{"type":"Feature"},{"type":"Thing","geometry":{"type":"Point","coordinates":[1,2]}})");
  EXPECT_EQ(page.entries, 7u);
  EXPECT_EQ(page.invalid, 7u);
}

TEST(GeoJson, AttributesOfEveryKind) {
  const GeoJsonPage page = collection(
      R"({"geometry":{"type":"Point","coordinates":[1,2]},"id":7,"properties":{"z":1,"a":null,"b":true,"c":-9223372036854775808,"d":1e3,)"
      R"("e":9223372036854775808,"f":"\u00e9\ud83d\ude00\ud800\n\"\/","g":{"x":[1, "é"]},"h":NaN,"i":[],"j":5.0,"":"","\u0000":"\u0000"}})");
  ASSERT_EQ(page.features.size(), 1u);
  const Feature& feature = page.features[0];
  EXPECT_EQ(feature.id, "7");
  using Attributes = std::vector<std::pair<std::string, AttributeValue>>;
  const Attributes expected{{"z", std::int64_t{1}},
                            {"a", std::monostate{}},
                            {"b", true},
                            {"c", std::numeric_limits<std::int64_t>::min()},
                            {"d", 1000.0},
                            {"e", 9223372036854775808.0},
                            {"f", "é😀\xEF\xBF\xBD\n\"/"},
                            {"g", R"({"x":[1, "é"]})"},
                            {"h", std::monostate{}},
                            {"i", "[]"},
                            {"j", 5.0},
                            {"", ""},
                            {"\xEF\xBF\xBD", "\xEF\xBF\xBD"}};
  ASSERT_EQ(feature.attributes.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(feature.attributes[i], expected[i]) << i;
  EXPECT_EQ(collection(R"({"geometry":{"type":"Point","coordinates":[1,2]},"id":"x","properties":null})").features.at(0).id, "x");
}

TEST(GeoJson, Ids) {
  const auto id = [](const std::string& more) {
    return collection(R"({"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]})" + more + "}").features.at(0).id;
  };
  EXPECT_EQ(id(R"(,"id":"own","properties":{"CLEABS":"key"})"), "key");
  EXPECT_EQ(id(R"(,"id":"own","properties":{"cleabs":null})"), "own");
  EXPECT_EQ(id(R"(,"id":"own","properties":{"cleabs":""})"), "own");
  EXPECT_EQ(id(R"(,"properties":{"cleabs":12})"), "12");
  EXPECT_EQ(id(R"(,"id":1.5)"), "1.5");
  EXPECT_EQ(id(R"(,"id":null)"), id(""));  // the hash of the geometry
  EXPECT_NE(id(""), "");
  EXPECT_NE(id(""), collection(R"({"geometry":{"type":"Point","coordinates":[1,3]}})").features.at(0).id);
}

TEST(GeoJson, CountsAndReferenceSystems) {
  for (const auto& [text, matched] : std::map<std::string, long long>{{"12", 12},
                                                                      {"\"12\"", 12},
                                                                      {"12.0", 12},
                                                                      {"0", 0},
                                                                      {"\"unknown\"", -1},
                                                                      {"null", -1},
                                                                      {"-4", -1},
                                                                      {"[1]", -1},
                                                                      {"1e99", -1},
                                                                      {"NaN", -1}}) {
    EXPECT_EQ(collection("", "\"numberMatched\":" + text + ",").matched, matched) << text;
  }
  EXPECT_EQ(collection("", R"("totalFeatures":5,"numberReturned":6,)").matched, -1);
  const auto named = [](const std::string& name) { return R"({"type":"name","properties":{"name":")" + name + "\"}}"; };
  for (const auto& [crs, epsg] : std::map<std::string, int>{{named("urn:ogc:def:crs:EPSG::2154"), 2154},
                                                            {named("EPSG:2154"), 2154},
                                                            {named("epsg:5490"), 5490},
                                                            {named("http://www.opengis.net/def/crs/EPSG/0/2975"), 2975},
                                                            {named("http://www.opengis.net/gml/srs/epsg.xml#4326"), 4326},
                                                            {named("urn:ogc:def:crs:OGC:1.3:CRS84"), 4326},
                                                            {named("urn:ogc:def:crs:IGNF::LAMB93"), 0},
                                                            {named("EPSG:99999999999999"), 0},
                                                            {named(""), 0},
                                                            {R"({"type":"EPSG","properties":{"code":2154}})", 2154},
                                                            {R"("EPSG:2154")", 2154},
                                                            {R"({"type":"link","properties":{"href":"EPSG:1"}})", 0},
                                                            {"null", 0},
                                                            {"7", 0}}) {
    EXPECT_EQ(collection("", "\"crs\":" + crs + ",").epsg, epsg) << crs;
  }
}

TEST(GeoJson, InvalidUtf8BecomesReplacementCharacters) {
  const std::string bad = "caf\xE9 \xC3\x28 \xED\xA0\x80 \xF5 \xC0\xAF \x01 ok é";
  const GeoJsonPage page =
      collection(R"({"id":"a","geometry":{"type":"Point","coordinates":[1,2]},"properties":{"n":")" + bad + R"(","o":[")" + bad + "\"]}}");
  const std::string r = "\xEF\xBF\xBD";
  const std::string good = "caf" + r + " " + r + "( " + r + r + r + " " + r + " " + r + r + "   ok é";
  ASSERT_EQ(page.features.size(), 1u);
  EXPECT_EQ(std::get<std::string>(*page.features[0].find("n")), good);
  EXPECT_EQ(std::get<std::string>(*page.features[0].find("o")), "[\"" + good + "\"]");
}

TEST(GeoJson, WhatIsNoWholeCollectionIsRefused) {
  for (const char* text : {"",
                           " ",
                           "null",
                           "7",
                           "[]",
                           "{}",
                           R"({"type":"Feature"})",
                           R"({"type":"FeatureCollection"})",
                           R"({"type":"FeatureCollection","features":null})",
                           R"({"type":"FeatureCollection","features":{}})",
                           R"({"type":"FeatureCollection","features":[])",
                           R"({"type":"FeatureCollection","features":[]}x)",
                           R"({"type":"FeatureCollection","features":[]}{"type":"FeatureCollection","features":[]})",
                           R"({"type":"FeatureCollection","features":[,]})",
                           R"({"type":"FeatureCollection","features":[{}{}]})",
                           R"({"type":"FeatureCollection" "features":[]})",
                           R"({"type":"FeatureCollection","features":[],})",
                           R"({"type":"FeatureCollection","features":[1.2.3]})",
                           R"({"type":"FeatureCollection","features":[],"a":tru})",
                           R"({"type":"FeatureCollection","features":[],a:1})",
                           R"({"type":"FeatureCollection","features":[]} <ServiceExceptionReport/>)",
                           "<html/>"}) {
    EXPECT_THROW(truth::parse_geojson(text, "cleabs"), CorruptData) << text;
  }
  EXPECT_EQ(truth::parse_geojson("\xEF\xBB\xBF {\"features\":[],\"type\":\"FeatureCollection\"}\n ", "cleabs").entries, 0u);
}

TEST(GeoJson, DeepNestingIsRefused) {
  for (const char* bracket : {"[", "{\"a\":", R"({"type":"GeometryCollection","geometries":[)"}) {
    std::string deep;
    for (int i = 0; i < 1'000'000; ++i) deep += bracket;
    EXPECT_THROW(collection(deep), CorruptData);
    EXPECT_THROW(collection("", "\"a\":" + deep), CorruptData);
    EXPECT_THROW(with_geometry(deep), CorruptData);
  }
}

}  // namespace
}  // namespace tuile::test
