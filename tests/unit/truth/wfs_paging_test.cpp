#include <gtest/gtest.h>

#include "synthetic_layer.hpp"

namespace tuile::test {
namespace {

using Behaviour = SyntheticLayer::Behaviour;
using Matched = SyntheticLayer::Matched;

const SyntheticLayer& town() {
  static const SyntheticLayer layer(1230);
  return layer;
}

void expect_all(const Behaviour& behaviour, int page_size = 100, const std::string& sort_by = "cleabs",
                const Bounds& box = SyntheticLayer::all().expanded(-100)) {
  const truth::FetchResult result = fetch_from(town(), behaviour, box, page_size, nullptr, sort_by);
  const auto expected = town().expected(box);
  ASSERT_GT(expected.size(), 500u);
  EXPECT_EQ(result.outcome, Outcome::data) << result.reason;
  EXPECT_EQ(result.features.size(), expected.size());
  EXPECT_EQ(SyntheticLayer::difference(result.features, expected), -1);
}

TEST(WfsPaging, GivesEveryFeatureOfTheBoxOnce) { expect_all({}); }

TEST(WfsPaging, AsksAsTheStandardWantsIt) {
  const SyntheticLayer few(3);
  const Bounds box{326000.25, 6828000, 327000, 7000000};
  std::vector<ServerRequest> requests;
  fetch_from(few, {}, box, 100, &requests);
  ASSERT_EQ(requests.size(), 1u);
  const std::map<std::string, std::string> expected{{"service", "WFS"},
                                                    {"version", "2.0.0"},
                                                    {"request", "GetFeature"},
                                                    {"typenames", "TEST:batiment"},
                                                    {"outputformat", "application/json"},
                                                    {"srsname", "EPSG:2154"},
                                                    {"bbox", "326000.25,6828000,327000,7000000,EPSG:2154"},
                                                    {"sortby", "cleabs"},
                                                    {"count", "100"},
                                                    {"startindex", "0"},
                                                    {"exceptions", "application/json"}};
  EXPECT_EQ(requests[0].query, expected);
}

TEST(WfsPaging, AddsToAQueryThatTheUrlHas) {
  FaultServer server([](const ServerRequest& request) { return SyntheticLayer(3).answer(request, {}); });
  truth::WfsOptions options = options_for(server, 100);
  options.url += "?map=/maps/a.map";
  truth::make_wfs(options, quick_client())->fetch("batiment", SyntheticLayer::all(), 2154, {});
  ASSERT_EQ(server.request_count(), 1u);
  EXPECT_EQ(server.requests()[0].query.at("map"), "/maps/a.map");
  EXPECT_EQ(server.requests()[0].query.at("service"), "WFS");
}

TEST(WfsPaging, ALayerWithItsOwnPrefixKeepsIt) {
  FaultServer server([](const ServerRequest& request) { return SyntheticLayer(3).answer(request, {.layer = "OTHER:road"}); });
  const auto source = truth::make_wfs(options_for(server, 100), quick_client());
  EXPECT_EQ(source->fetch("OTHER:road", SyntheticLayer::all(), 2154, {}).outcome, Outcome::data);
}

TEST(WfsPaging, CountsThatAreMissingTextOrUnknown) {
  for (const Matched matched : {Matched::text, Matched::unknown, Matched::absent}) expect_all({.matched = matched});
}

TEST(WfsPaging, PagesThatAreCutSilently) {
  for (const Matched matched : {Matched::number, Matched::unknown, Matched::absent}) expect_all({.matched = matched, .cap = 50}, 5000);
}

TEST(WfsPaging, APageThatIsJustFullIsNotTheEnd) {
  const SyntheticLayer layer(200);
  for (const Matched matched : {Matched::number, Matched::absent}) {
    const truth::FetchResult result = fetch_from(layer, {.matched = matched}, SyntheticLayer::all().expanded(100), 100);
    EXPECT_EQ(result.features.size(), 200u);
    EXPECT_EQ(result.outcome, Outcome::data);
  }
}

TEST(WfsPaging, ACountThatIsThatOfThePageIsNotBelieved) {
  // numberMatched as some services have it: never more than the page.
  FaultServer server([](const ServerRequest& request) {
    ServerAnswer answer = town().answer(request, {});
    nlohmann::json json = nlohmann::json::parse(answer.body);
    json["numberMatched"] = json["features"].size();
    answer.body = json.dump();
    return answer;
  });
  const auto source = truth::make_wfs(options_for(server, 100), quick_client());
  const truth::FetchResult result = source->fetch("batiment", SyntheticLayer::all(), 2154, {});
  if (result.outcome == Outcome::data) {
    EXPECT_EQ(SyntheticLayer::difference(result.features, town().expected(SyntheticLayer::all())), -1);
  } else {
    EXPECT_FALSE(is_sound(result.outcome));
  }
}

TEST(WfsPaging, WithoutAKeyTheBoxIsSplit) {
  for (const int status : {200, 400}) expect_all({.sorts = false, .sort_status = status});
  expect_all({}, 100, "");
  expect_all({.matched = Matched::absent}, 100, "");
  expect_all({.matched = Matched::number, .cap = 50, .sorts = false}, 5000);
}

TEST(WfsPaging, WithoutAKeyACutThatNobodyTellsIsFound) {
  expect_all({.matched = Matched::absent, .cap = 50, .sorts = false}, 5000);
  expect_all({.matched = Matched::unknown, .cap = 50}, 5000, "");
}

TEST(WfsPaging, AServiceThatCannotPage) {
  expect_all({.pages = false});
  expect_all({.matched = Matched::absent, .pages = false});
  expect_all({.matched = Matched::absent, .sorts = false, .pages = false});
}

TEST(WfsPaging, AServiceThatRefusesToPageIsBelievedBelowCount) {
  for (const std::string code : {"NoApplicableCode", "OperationNotSupported"}) {
    FaultServer server([&](const ServerRequest& request) {
      if (request.query.contains("startindex"))
        return SyntheticLayer::exception(200, code, "", "Cannot do natural order without a primary key");
      return town().answer(request, {.matched = Matched::absent});
    });
    const auto source = truth::make_wfs(options_for(server, 100), quick_client());
    const truth::FetchResult result = source->fetch("batiment", SyntheticLayer::all(), 2154, {});
    EXPECT_EQ(result.outcome, Outcome::data) << result.reason;
    EXPECT_EQ(SyntheticLayer::difference(result.features, town().expected(SyntheticLayer::all())), -1);
  }
}

TEST(WfsPaging, AQuestionForMoreThatFailsIsNoEnd) {
  for (const Fault fault : {Fault::error_500, Fault::forbidden, Fault::not_found}) {
    FaultServer server([](const ServerRequest& request) { return town().answer(request, {.matched = Matched::absent, .cap = 50}); },
                       [&](const ServerRequest& request) { return request.query.contains("startindex") ? fault : Fault::none; });
    truth::WfsOptions options = options_for(server, 5000);
    options.sort_by = "";
    const auto source = truth::make_wfs(options, quick_client(1));
    EXPECT_EQ(source->fetch("batiment", SyntheticLayer::all(), 2154, {}).outcome, Outcome::failed) << to_string(fault);
  }
}

TEST(WfsPaging, APageAtATimeWithoutEndIsTruncated) {
  FaultServer server([](const ServerRequest& request) {
    const std::string start = request.query.at("startindex");
    return ServerAnswer{.content_type = "application/json",
                        .body = R"({"type":"FeatureCollection","features":[{"id":"a)" + start +
                                R"(","geometry":{"type":"Point","coordinates":[326500,6828500]}}]})"};
  });
  const auto source = truth::make_wfs(options_for(server, 100), quick_client());
  const truth::FetchResult result = source->fetch("batiment", SyntheticLayer::all(), 2154, {});
  EXPECT_EQ(result.outcome, Outcome::truncated);
  EXPECT_LE(server.request_count(), 2000u);
}

TEST(WfsPaging, FeaturesThatComeTwiceAcrossPagesCostNoOther) {
  expect_all({.unstable = true});
  expect_all({.matched = Matched::absent, .unstable = true});
}

TEST(WfsPaging, FeaturesOutsideTheBoxAreLeftOut) {
  expect_all({.outside = 5}, 5000);
  // The box is empty, yet something near it comes: services widen boxes.
  const SyntheticLayer layer(5);
  const Bounds away{SyntheticLayer::west - 1500, SyntheticLayer::south, SyntheticLayer::west - 1400, SyntheticLayer::south + 100};
  const truth::FetchResult result = fetch_from(layer, {.matched = Matched::absent, .outside = 1}, away);
  EXPECT_NE(result.outcome, Outcome::data);
  EXPECT_TRUE(result.features.empty());
}

TEST(WfsPaging, AnEmptyBoxIsConfirmedEmpty) {
  const Bounds away = SyntheticLayer::all().expanded(-490);
  const SyntheticLayer nothing(0);
  for (const Matched matched : {Matched::number, Matched::text, Matched::unknown, Matched::absent}) {
    for (const auto crs : {SyntheticLayer::Crs::null, SyntheticLayer::Crs::none}) {
      const truth::FetchResult result = fetch_from(nothing, {.matched = matched, .crs = crs}, away);
      EXPECT_EQ(result.outcome, Outcome::confirmed_empty) << result.reason;
    }
  }
}

TEST(WfsPaging, AnEmptyAnswerThatClaimsMoreIsTruncated) {
  FaultServer server([](const ServerRequest&) {
    return ServerAnswer{.content_type = "application/json", .body = R"({"type":"FeatureCollection","numberMatched":17,"features":[]})"};
  });
  for (const std::string sort_by : {"cleabs", ""}) {
    truth::WfsOptions options = options_for(server, 100);
    options.sort_by = sort_by;
    const truth::FetchResult result = truth::make_wfs(options, quick_client())->fetch("batiment", SyntheticLayer::all(), 2154, {});
    EXPECT_EQ(result.outcome, Outcome::truncated);
    EXPECT_NE(result.reason.find("17"), std::string::npos) << result.reason;
  }
}

TEST(WfsPaging, AServiceThatStopsShortIsTruncated) {
  FaultServer server([](const ServerRequest& request) {
    const bool first = request.query.at("startindex") == "0";
    nlohmann::json json = nlohmann::json::parse(town().answer(request, {}).body);
    if (!first) json["features"] = nlohmann::json::array();
    return ServerAnswer{.content_type = "application/json", .body = json.dump()};
  });
  const auto source = truth::make_wfs(options_for(server, 100), quick_client());
  EXPECT_EQ(source->fetch("batiment", SyntheticLayer::all(), 2154, {}).outcome, Outcome::truncated);
}

TEST(WfsPaging, DataThatChangeOnceAreFetchedAnew) {
  const SyntheticLayer before(400), after(405);
  FaultServer server([&](const ServerRequest& request) { return (request.number < 2 ? before : after).answer(request, {}); });
  const auto source = truth::make_wfs(options_for(server, 100), quick_client());
  const truth::FetchResult result = source->fetch("batiment", SyntheticLayer::all(), 2154, {});
  EXPECT_EQ(result.outcome, Outcome::data);
  EXPECT_EQ(SyntheticLayer::difference(result.features, after.expected(SyntheticLayer::all())), -1);
}

TEST(WfsPaging, DataThatKeepChangingAreTruncated) {
  const SyntheticLayer even(400), odd(405);
  FaultServer server([&](const ServerRequest& request) { return (request.number % 2 == 0 ? even : odd).answer(request, {}); });
  const auto source = truth::make_wfs(options_for(server, 100), quick_client());
  EXPECT_EQ(source->fetch("batiment", SyntheticLayer::all(), 2154, {}).outcome, Outcome::truncated);
}

TEST(WfsPaging, AnswersThatAreTooLargeAreSplit) {
  FaultServer server([](const ServerRequest& request) { return town().answer(request, {}); });
  const auto source = truth::make_wfs(options_for(server, 5000), quick_client(4, 30'000));
  const truth::FetchResult result = source->fetch("batiment", SyntheticLayer::all(), 2154, {});
  EXPECT_EQ(result.outcome, Outcome::data) << result.reason;
  EXPECT_EQ(SyntheticLayer::difference(result.features, town().expected(SyntheticLayer::all())), -1);
  EXPECT_GT(server.request_count(), 10u);
}

TEST(WfsPaging, AFeatureThatIsTooLargeIsTruncatedSoon) {
  FaultServer server([](const ServerRequest& request) { return town().answer(request, {}); });
  const auto source = truth::make_wfs(options_for(server, 5000), quick_client(4, 200));
  EXPECT_EQ(source->fetch("batiment", SyntheticLayer::all(), 2154, {}).outcome, Outcome::truncated);
  EXPECT_LT(server.request_count(), 100u);
}

TEST(WfsPaging, ACrowdThatCannotBeSplitIsTruncated) {
  // 60 objects at one place, 50 an answer, no order.
  FaultServer server([](const ServerRequest& request) {
    nlohmann::json json = nlohmann::json::parse(SyntheticLayer(1).answer(request, {}).body);
    if (json["features"].empty()) return ServerAnswer{.content_type = "application/json", .body = json.dump()};
    json["numberMatched"] = 60;
    for (int i = 1; i < 50; ++i) {
      json["features"].push_back(json["features"][0]);
      json["features"].back()["properties"]["cleabs"] = std::to_string(i);
    }
    return ServerAnswer{.content_type = "application/json", .body = json.dump()};
  });
  truth::WfsOptions options = options_for(server, 50);
  options.sort_by = "";
  const auto source = truth::make_wfs(options, quick_client());
  EXPECT_EQ(source->fetch("batiment", SyntheticLayer::all().expanded(100), 2154, {}).outcome, Outcome::truncated);
  EXPECT_LT(server.request_count(), 100u);
}

TEST(WfsPaging, OwnIdsServeWhereThereIsNoCleabs) { expect_all({.ids_in_properties = false}); }

TEST(WfsPaging, FeaturesWithoutGeometryAreCounted) {
  const truth::FetchResult result = fetch_from(town(), {.without_geometry = 2}, SyntheticLayer::all(), 5000);
  EXPECT_EQ(result.outcome, Outcome::data);
  EXPECT_EQ(result.invalid, 2u);
  EXPECT_EQ(result.features.size(), town().expected(SyntheticLayer::all()).size() - 2);
  // Nothing but such: not a confirmation of emptiness.
  const truth::FetchResult none = fetch_from(SyntheticLayer(2), {.without_geometry = 2}, SyntheticLayer::all(), 5000);
  EXPECT_EQ(none.outcome, Outcome::failed);
  EXPECT_EQ(none.kind, ErrorKind::corrupt);
}

TEST(WfsPaging, SwappedAxesAreNoEmptyBox) {
  FaultServer server([](const ServerRequest& request) {
    nlohmann::json json = nlohmann::json::parse(SyntheticLayer(20).answer(request, {}).body);
    for (auto& feature : json["features"]) {
      for (auto& place : feature["geometry"]["coordinates"][0]) std::swap(place[0], place[1]);
    }
    return ServerAnswer{.content_type = "application/json", .body = json.dump()};
  });
  const auto source = truth::make_wfs(options_for(server, 100), quick_client());
  const truth::FetchResult result = source->fetch("batiment", SyntheticLayer::all(), 2154, {});
  EXPECT_EQ(result.outcome, Outcome::failed);
  EXPECT_NE(result.reason.find("axes"), std::string::npos) << result.reason;
}

TEST(WfsPaging, AnAnswerInDegreesIsReprojected) {
  // A corner of Paris: 652469.02 E 6862035.26 N in Lambert-93 is 2.3522 E 48.8566 N (computed with PROJ's cs2cs).
  for (const std::string crs : {R"("crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}},)", R"("crs":null,)", ""}) {
    FaultServer server([&](const ServerRequest&) {
      return ServerAnswer{
          .content_type = "application/json",
          .body = R"({"type":"FeatureCollection",)" + crs +
                  R"("features":[{"type":"Feature","id":"a","geometry":{"type":"Point","coordinates":[2.3522,48.8566]}}]})"};
    });
    truth::WfsOptions options = options_for(server, 100);
    const auto source = truth::make_wfs(options, quick_client());
    const truth::FetchResult result = source->fetch("batiment", {652000, 6862000, 653000, 6863000}, 2154, {});
    ASSERT_EQ(result.features.size(), 1u) << result.reason;
    std::array<double, 2> place{};
    std::memcpy(place.data(), result.features[0].geometry.data() + 5, sizeof place);
    EXPECT_NEAR(place[0], 652469.02, 0.01);
    EXPECT_NEAR(place[1], 6862035.26, 0.01);
  }
}

}  // namespace
}  // namespace tuile::test
