#include <gtest/gtest.h>

#include "recorded.hpp"
#include "synthetic_layer.hpp"
#include "truth/wkb_bounds.hpp"

namespace tuile::test {
namespace {

using truth::IndexTile;

const std::vector<std::string> url_attributes{"url_npl", "url"};

/// Serves recorded features of one layer as a GeoServer would: the box, COUNT and STARTINDEX obeyed, other layers unknown.
class RecordedIndex {
 public:
  RecordedIndex(const std::string& text, std::string layer) : json_(nlohmann::json::parse(text)), layer_(std::move(layer)) {}

  ServerAnswer answer(const ServerRequest& request, int status_of_unknown = 200) const {
    if (request.query.at("typenames") != layer_) {
      return SyntheticLayer::exception(status_of_unknown, "InvalidParameterValue", "typeName",
                                       "Feature type " + request.query.at("typenames") + " unknown");
    }
    if (request.query.contains("sortby"))
      return SyntheticLayer::exception(200, "InvalidParameterValue", "", "Illegal property name: cleabs");
    std::istringstream stream(request.query.at("bbox"));
    Bounds box;
    char comma = 0;
    stream >> box.min_x >> comma >> box.min_y >> comma >> box.max_x >> comma >> box.max_y;
    nlohmann::json page = {{"type", "FeatureCollection"}, {"crs", json_["crs"]}, {"features", nlohmann::json::array()}};
    std::size_t matched = 0;
    for (const nlohmann::json& feature : json_["features"]) {
      const auto& b = feature["bbox"];
      if (!Bounds{b[0], b[1], b[2], b[3]}.intersects(box)) continue;
      if (matched++ < std::stoull(request.query.at("count"))) page["features"].push_back(feature);
    }
    page["numberMatched"] = matched;
    return {200, "application/json", page.dump(), {}};
  }

  std::size_t size() const { return json_["features"].size(); }

 private:
  nlohmann::json json_;
  std::string layer_;
};

TEST(TileIndex, LayersInTurnUntilOneExists) {
  const auto path = test_data("wfs/IGNF_LIDAR-HD_TA_nuage-dalle.geojson");
  if (!path) GTEST_SKIP() << "no test data on this machine";
  const RecordedIndex index(read_text(*path), "IGNF_LIDAR-HD_TA:nuage-dalle");
  for (const int status : {200, 400}) {
    FaultServer server([&](const ServerRequest& request) { return index.answer(request, status); });
    const auto tiles = truth::fetch_index(*quick_client(), options_for(server, 5000),
                                          {"IGNF_LIDAR-HD_METADONNEE:metadata", "IGNF_LIDAR-HD_TA:nuage-dalle"}, url_attributes,
                                          {186500, 6833500, 187500, 6834500}, 2154, {});
    ASSERT_EQ(tiles.size(), 4u);
    EXPECT_EQ(tiles[0].name, "LHD_FXX_0186_6834_PTS_C_LAMB93_IGN69.copc.laz");
    EXPECT_EQ(tiles[0].bounds, (Bounds{186000, 6833000, 187000, 6834000}));
    EXPECT_EQ(tiles[0].url.substr(tiles[0].url.rfind('/') + 1), tiles[0].name);
    for (std::size_t i = 1; i < tiles.size(); ++i) EXPECT_LT(tiles[i - 1].name, tiles[i].name);
  }
}

TEST(TileIndex, AllTilesThroughSmallPages) {
  const auto path = test_data("wfs/IGNF_LIDAR-HD_TA_nuage-dalle.geojson");
  if (!path) GTEST_SKIP() << "no test data on this machine";
  const RecordedIndex index(read_text(*path), "IGNF_LIDAR-HD_TA:nuage-dalle");
  FaultServer server([&](const ServerRequest& request) { return index.answer(request); },
                     [](const ServerRequest& request) { return request.number % 5 == 2 ? Fault::reset : Fault::none; });
  const auto tiles = truth::fetch_index(*quick_client(4, 20'000'000), options_for(server, 2000), {"IGNF_LIDAR-HD_TA:nuage-dalle"},
                                        url_attributes, {0, 6000000, 1000000, 7000000}, 2154, {});
  EXPECT_EQ(tiles.size(), index.size());
}

TEST(TileIndex, AnAnswerInDegreesIsReprojected) {
  const auto path = test_data("wfs/IGNF_NUAGES-DE-POINTS-LIDAR-HD_dalle.geojson");
  if (!path) GTEST_SKIP() << "no test data on this machine";
  nlohmann::json json = nlohmann::json::parse(read_text(*path));
  json["features"] = {json["features"][0], json["features"][1]};
  json["numberMatched"] = 2;
  FaultServer server([&](const ServerRequest&) { return ServerAnswer{.content_type = "application/json", .body = json.dump()}; });
  const auto tiles = truth::fetch_index(*quick_client(), options_for(server, 5000), {"IGNF_NUAGES-DE-POINTS-LIDAR-HD:dalle"},
                                        url_attributes, {186100, 6833100, 186900, 6833900}, 2154, {});
  ASSERT_EQ(tiles.size(), 1u);
  EXPECT_EQ(tiles[0].name, "LHD_FXX_0186_6834_PTS_LAMB93_IGN69.copc.laz");  // of the URL, not of the attribute
  EXPECT_NEAR(tiles[0].bounds.min_x, 186000, 0.01);
  EXPECT_NEAR(tiles[0].bounds.max_y, 6834000, 0.01);
}

/// A service with these properties for its only tiles, all at one place.
std::vector<IndexTile> tiles_with(const std::vector<nlohmann::json>& properties) {
  nlohmann::json json = {{"type", "FeatureCollection"}, {"numberMatched", properties.size()}, {"features", nlohmann::json::array()}};
  for (std::size_t i = 0; i < properties.size(); ++i) {
    json["features"].push_back(
        {{"type", "Feature"},
         {"id", "tile." + std::to_string(i)},
         {"geometry", {{"type", "Polygon"}, {"coordinates", {{{1000, 1000}, {2000, 1000}, {2000, 2000}, {1000, 2000}, {1000, 1000}}}}}},
         {"properties", properties[i]}});
  }
  FaultServer server([&](const ServerRequest&) { return ServerAnswer{.content_type = "application/json", .body = json.dump()}; });
  return truth::fetch_index(*quick_client(), options_for(server, 5000), {"a:b"}, url_attributes, {1200, 1200, 1300, 1300}, 2154, {});
}

TEST(TileIndex, NamesAndUrls) {
  const auto tiles = tiles_with({{{"url", "https://h/p/B.laz?x=1"}, {"name", "other"}},
                                 {{"url", "https://h/wrong.laz"}, {"url_npl", "HTTPS://h/A.LAZ"}},
                                 {{"url", "https://h/download?id=7"}, {"name", "C.copc.laz"}},
                                 {{"url", "https://h/download/7"}},
                                 {{"url", "https://h/x"}, {"name", "../../../etc/.D.laz"}},
                                 {{"url", "https://h/2025/B.laz"}},
                                 {{"url", nullptr}},
                                 {{"url", "file:///etc/passwd"}},
                                 {{"url", "https://h/"}}});
  ASSERT_EQ(tiles.size(), 5u);
  EXPECT_EQ(tiles[0].name, "7");
  EXPECT_EQ(tiles[1].name, "A.LAZ");
  EXPECT_EQ(tiles[1].url, "HTTPS://h/A.LAZ");
  EXPECT_EQ(tiles[2].name, "B.laz");
  EXPECT_EQ(tiles[2].url, "https://h/p/B.laz?x=1");
  EXPECT_EQ(tiles[3].name, "C.copc.laz");
  EXPECT_EQ(tiles[4].name, "D.laz");
}

TEST(TileIndex, FailuresAreTyped) {
  EXPECT_THROW(tiles_with({{{"link", "https://h/A.laz"}}}), CorruptData);
  EXPECT_TRUE(tiles_with({}).empty());
  const auto fetch = [](const FaultServer::Rule& rule, const FaultServer::Handler& handler, std::vector<std::string> layers) {
    FaultServer server(handler, rule);
    return truth::fetch_index(*quick_client(1), options_for(server, 5000), layers, url_attributes, {0, 0, 1, 1}, 2154, {});
  };
  const auto unknown = [](const ServerRequest& request) {
    return SyntheticLayer::exception(200, "InvalidParameterValue", "typeName",
                                     "Feature type " + request.query.at("typenames") + " unknown");
  };
  EXPECT_THROW(fetch({}, unknown, {"a:b", "c:d"}), NotFound);
  EXPECT_THROW(fetch({}, unknown, {}), NotFound);
  EXPECT_THROW(fetch([](const ServerRequest&) { return Fault::error_500; }, unknown, {"a:b"}), IoError);
  EXPECT_THROW(fetch([](const ServerRequest&) { return Fault::forbidden; }, unknown, {"a:b"}), PermissionDenied);
  EXPECT_THROW(fetch([](const ServerRequest&) { return Fault::bad_request; }, unknown, {"a:b"}), Unsupported);
  try {
    fetch({}, unknown, {"a:b", "c:d"});
  } catch (const NotFound& error) {
    EXPECT_NE(std::string(error.what()).find("a:b"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("c:d"), std::string::npos);
  }
}

}  // namespace
}  // namespace tuile::test
