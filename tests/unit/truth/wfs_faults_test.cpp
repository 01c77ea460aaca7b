#include <gtest/gtest.h>

#include <thread>

#include "synthetic_layer.hpp"

namespace tuile::test {
namespace {

const SyntheticLayer& town() {
  static const SyntheticLayer layer(430);
  return layer;
}

constexpr std::size_t largest_body = 200'000;

FaultSettings settings() {
  FaultSettings settings;
  settings.retry_after = 0;
  settings.slow_pause = std::chrono::milliseconds(1);
  settings.huge_bytes = 2 * largest_body;
  return settings;
}

struct Attempt {
  truth::FetchResult result;
  std::uint64_t requests = 0;
};

Attempt run(const FaultServer::Rule& rule, int retries = 6, FaultSettings own = settings()) {
  FaultServer server([](const ServerRequest& request) { return town().answer(request, {}); }, rule, own);
  const auto source = truth::make_wfs(options_for(server, 100), quick_client(retries, largest_body, 0.5));
  truth::FetchResult result = source->fetch("batiment", SyntheticLayer::all(), 2154, {});
  return {std::move(result), server.request_count()};
}

/// Attributes as they were sent.
bool is_clean(const truth::Feature& feature) {
  const truth::AttributeValue* kind = feature.find("nature");
  return kind != nullptr && truth::to_text(*kind) == "Indifférenciée";
}

bool is_whole(const truth::FetchResult& result) {
  return std::all_of(result.features.begin(), result.features.end(), is_clean) && result.outcome == Outcome::data &&
         SyntheticLayer::difference(result.features, town().expected(SyntheticLayer::all())) == -1;
}

/// Which faults a retry, a split or tolerance makes good.
bool can_be_survived(Fault fault) {
  switch (fault) {
    case Fault::service_exception:  // LayerNotDefined
    case Fault::redirect_scheme:
    case Fault::bad_request:
    case Fault::forbidden:
    case Fault::not_found:
    case Fault::gone: return false;
    default: return true;
  }
}

TEST(WfsFaults, OneOfEachKindIsSurvivedOrTold) {
  for (const Fault fault : all_faults()) {
    for (const std::uint64_t victim : {std::uint64_t{0}, std::uint64_t{2}}) {
      SCOPED_TRACE(std::string(to_string(fault)) + " at request " + std::to_string(victim));
      const Attempt faulty = run([&](const ServerRequest& request) { return request.number == victim ? fault : Fault::none; });
      if (can_be_survived(fault)) {
        EXPECT_TRUE(is_whole(faulty.result)) << faulty.result.reason;
      } else if (victim == 2) {  // a first request that is refused (400) is made again without SORTBY, and that may well be answered
        EXPECT_EQ(faulty.result.outcome, Outcome::failed);
        EXPECT_FALSE(faulty.result.reason.empty());
      } else {
        EXPECT_TRUE(is_whole(faulty.result) || faulty.result.outcome == Outcome::failed);
      }
    }
  }
}

TEST(WfsFaults, OneInFiveOfAnyKindNeverGivesAnotherResult) {
  for (const Fault fault : all_faults()) {
    for (const unsigned seed : {1u, 2u}) {
      SCOPED_TRACE(std::string(to_string(fault)) + ", seed " + std::to_string(seed));
      const auto rule = [&](const ServerRequest& request) {
        std::mt19937 random(seed * 1000 + static_cast<unsigned>(request.number));
        return random() % 5 == 0 ? fault : Fault::none;
      };
      const Attempt faulty = run(rule);
      EXPECT_TRUE(is_whole(faulty.result) || (!is_sound(faulty.result.outcome) && !faulty.result.reason.empty()))
          << to_string(faulty.result.outcome) << " " << faulty.result.features.size() << " " << faulty.result.reason;
    }
  }
}

TEST(WfsFaults, AllAtOnceNeverGiveAnotherResult) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    const auto rule = [&](const ServerRequest& request) {
      std::mt19937 random(seed * 1000 + static_cast<unsigned>(request.number));
      std::vector<Fault> kinds;
      for (const Fault fault : all_faults()) {
        if (can_be_survived(fault) && fault != Fault::silence) kinds.push_back(fault);
      }
      return random() % 5 == 0 ? kinds[random() % kinds.size()] : Fault::none;
    };
    const Attempt faulty = run(rule);
    EXPECT_TRUE(is_whole(faulty.result) || (!is_sound(faulty.result.outcome) && !faulty.result.reason.empty())) << faulty.result.reason;
  }
}

TEST(WfsFaults, WhatNeverPassesIsNeverEmpty) {
  for (const Fault fault : all_faults()) {
    if (fault == Fault::slow || fault == Fault::wrong_type || fault == Fault::invalid_utf8) continue;
    SCOPED_TRACE(to_string(fault));
    const Attempt faulty = run([&](const ServerRequest&) { return fault; }, 1);
    EXPECT_FALSE(is_sound(faulty.result.outcome));
    EXPECT_FALSE(faulty.result.reason.empty());
    EXPECT_TRUE(faulty.result.features.empty());
  }
}

TEST(WfsFaults, TextThatIsNeverUtf8IsTakenAfterAllAttempts) {
  const Attempt faulty = run([](const ServerRequest&) { return Fault::invalid_utf8; }, 2);
  ASSERT_EQ(faulty.result.outcome, Outcome::data);
  EXPECT_EQ(faulty.result.features.size(), town().expected(SyntheticLayer::all()).size());
  EXPECT_EQ(faulty.requests % 3, 0u);
}

TEST(WfsFaults, TheReasonSaysWhatTheServiceSaid) {
  const auto always = [](Fault fault) { return [fault](const ServerRequest&) { return fault; }; };
  EXPECT_NE(run(always(Fault::exception_report), 1).result.reason.find("the store is not there"), std::string::npos);
  EXPECT_NE(run(always(Fault::json_exception), 1).result.reason.find("the store is not there"), std::string::npos);
  EXPECT_NE(run(always(Fault::service_exception), 1).result.reason.find("the layer is not there"), std::string::npos);
  EXPECT_NE(run(always(Fault::html_page), 1).result.reason.find("html"), std::string::npos);
}

TEST(WfsFaults, FinalExceptionsAreNotRetried) {
  struct Case {
    std::string code, locator, text;
    ErrorKind kind;
  };
  for (const Case& c : {Case{"InvalidParameterValue", "typeName", "Feature type TEST:batiment unknown", ErrorKind::not_found},
                        Case{"InvalidParameterValue", "namespace", "Unknown namespace [TEST]", ErrorKind::not_found},
                        Case{"InvalidParameterValue", "srsName", "no such CRS", ErrorKind::unsupported},
                        Case{"OperationNotSupported", "", "GetFeature is switched off", ErrorKind::unsupported}}) {
    FaultServer server([&](const ServerRequest&) { return SyntheticLayer::exception(200, c.code, c.locator, c.text); });
    const auto source = truth::make_wfs(options_for(server, 100), quick_client());
    const truth::FetchResult result = source->fetch("batiment", SyntheticLayer::all(), 2154, {});
    EXPECT_EQ(result.outcome, Outcome::failed);
    EXPECT_EQ(result.kind, c.kind) << c.text;
    EXPECT_NE(result.reason.find(c.text), std::string::npos) << result.reason;
    EXPECT_EQ(server.request_count(), 1u) << c.text;
  }
}

TEST(WfsFaults, ExceptionsThatMayPassAreRetried) {
  FaultServer server([](const ServerRequest& request) {
    if (request.number < 3)
      return SyntheticLayer::exception(200, "NoApplicableCode", "", "feature type TEST:batiment: the relation does not exist");
    return town().answer(request, {});
  });
  const auto source = truth::make_wfs(options_for(server, 1000), quick_client());
  EXPECT_TRUE(is_whole(source->fetch("batiment", SyntheticLayer::all(), 2154, {})));
}

TEST(WfsFaults, JsonThatBreaksOffIsRetried) {
  FaultServer server([](const ServerRequest& request) {
    ServerAnswer answer = town().answer(request, {});
    if (request.number % 2 == 0) answer.body.resize(answer.body.size() * 2 / 3);  // with a Content-Length to match: sound HTTP
    return answer;
  });
  const auto source = truth::make_wfs(options_for(server, 100), quick_client());
  EXPECT_TRUE(is_whole(source->fetch("batiment", SyntheticLayer::all(), 2154, {})));
}

TEST(WfsFaults, AGoodBodyOfAnyContentTypeIsTaken) {
  for (const std::string type : {"text/plain", "text/html", "application/xml", "application/geo+json", ""}) {
    FaultServer server([&](const ServerRequest& request) {
      ServerAnswer answer = town().answer(request, {});
      answer.content_type = type;
      return answer;
    });
    const auto source = truth::make_wfs(options_for(server, 1000), quick_client(0));
    EXPECT_TRUE(is_whole(source->fetch("batiment", SyntheticLayer::all(), 2154, {}))) << type;
  }
}

TEST(WfsFaults, GmlIsRefusedWithTheReason) {
  FaultServer server([](const ServerRequest&) {
    return ServerAnswer{.content_type = "text/xml",
                        .body = R"(<?xml version="1.0"?><wfs:FeatureCollection numberMatched="0"></wfs:FeatureCollection>)"};
  });
  const auto source = truth::make_wfs(options_for(server, 100), quick_client());
  const truth::FetchResult result = source->fetch("batiment", SyntheticLayer::all(), 2154, {});
  EXPECT_EQ(result.kind, ErrorKind::unsupported);
  EXPECT_NE(result.reason.find("GML"), std::string::npos);
  EXPECT_EQ(server.request_count(), 1u);
}

TEST(WfsFaults, AStopEndsTheFetch) {
  FaultServer server([](const ServerRequest& request) { return town().answer(request, {}); },
                     [](const ServerRequest& request) { return request.number >= 1 ? Fault::silence : Fault::none; });
  const auto source = truth::make_wfs(options_for(server, 100), quick_client(4, largest_body, 600));
  std::stop_source stop;
  std::jthread stopper([&] {
    while (server.request_count() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    stop.request_stop();
  });
  EXPECT_THROW(source->fetch("batiment", SyntheticLayer::all(), 2154, stop.get_token()), Cancelled);
}

TEST(WfsFaults, WrongOptionsAndBoxes) {
  EXPECT_THROW(truth::make_wfs({.url = "ftp://example.org/wfs"}, quick_client()), ConfigError);
  EXPECT_THROW(truth::make_wfs({.page_size = 0}, quick_client()), ConfigError);
  const auto source = truth::make_wfs({.url = "http://127.0.0.1:9/wfs"}, quick_client(0));
  EXPECT_EQ(source->fetch("batiment", Bounds{}, 2154, {}).kind, ErrorKind::invalid_argument);
  EXPECT_EQ(source->fetch("batiment", SyntheticLayer::all(), 0, {}).kind, ErrorKind::invalid_argument);
}

TEST(WfsFaults, ManyThreadsShareASource) {
  FaultServer server([](const ServerRequest& request) { return town().answer(request, {}); },
                     [](const ServerRequest& request) { return request.number % 7 == 3 ? Fault::reset : Fault::none; });
  const auto source = truth::make_wfs(options_for(server, 100), quick_client(8));
  std::array<bool, 6> whole{};
  {
    std::vector<std::jthread> threads;
    for (bool& one : whole) {
      threads.emplace_back([&] { one = is_whole(source->fetch("batiment", SyntheticLayer::all(), 2154, {})); });
    }
  }
  EXPECT_EQ(std::count(whole.begin(), whole.end(), true), 6);
}

}  // namespace
}  // namespace tuile::test
