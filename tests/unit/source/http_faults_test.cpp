// One case per line of "What the client survives" (ground_truth.md).
#include <zlib.h>

#include "http_fixture.hpp"

namespace tuile::source {
namespace {

const std::string good_body = R"({"type":"FeatureCollection","features":[{"id":"one"}]})";

ServerAnswer good_answer(const ServerRequest&) { return {200, "application/json", good_body, {}}; }

/// Looks as a reader of features would: the type, then the body.
void must_be_good(const HttpResponse& response) {
  if (response.content_type != "application/json") throw IoError("content type is " + response.content_type);
  if (response.body != good_body) throw IoError("the body is not what it should be");
}

class PassingFault : public testing::TestWithParam<Fault> {};

TEST_P(PassingFault, IsRetriedUntilTheGoodAnswerComes) {
  const FaultServer server(good_answer, [](const ServerRequest& request) { return request.number < 2 ? GetParam() : Fault::none; });
  HttpOptions options = quick_options();
  if (GetParam() == Fault::silence) options.timeout = 3;
  LogBook log;
  options.log = log.writer();
  HttpClient client(options);
  EXPECT_EQ(client.fetch({.url = server.url("/wfs")}, must_be_good, {}).body, good_body);
  EXPECT_EQ(server.request_count(), 3U);
  const HttpStatistics statistics = client.statistics();
  EXPECT_EQ(statistics.requests, 3U);
  EXPECT_EQ(statistics.retries, 2U);
  EXPECT_EQ(statistics.failures, 0U);
  EXPECT_EQ(log.count("retry "), 2);
}

TEST_P(PassingFault, ThatStaysEndsInAnIoErrorThatNamesTheUrl) {
  const FaultServer server(good_answer, [](const ServerRequest&) { return GetParam(); });
  HttpOptions options = quick_options();
  options.retries = 1;
  if (GetParam() == Fault::silence) options.timeout = 1;
  HttpClient client(options);
  const std::string message = thrown_by<IoError>([&] { client.fetch({.url = server.url("/wfs?service=WFS")}, must_be_good, {}); });
  EXPECT_TRUE(contains(message, server.url("/wfs?service=WFS"))) << message;
  EXPECT_TRUE(contains(message, "2 attempts failed")) << message;
  EXPECT_EQ(server.request_count(), 2U);
  EXPECT_EQ(client.statistics().failures, 1U);
}

INSTANTIATE_TEST_SUITE_P(Faults, PassingFault,
                         testing::Values(Fault::throttled, Fault::throttled_date, Fault::error_500, Fault::error_502, Fault::error_503,
                                         Fault::silence, Fault::reset, Fault::truncated, Fault::broken_chunks, Fault::garbage, Fault::empty,
                                         Fault::html_page, Fault::exception_report, Fault::service_exception, Fault::json_exception,
                                         Fault::wrong_type, Fault::invalid_utf8),
                         [](const auto& one) { return std::string(test::to_string(one.param)); });

struct FinalCase {
  Fault fault;
  ErrorKind kind;
  std::uint64_t requests;
  const char* says;
};
class FinalFault : public testing::TestWithParam<FinalCase> {};

TEST_P(FinalFault, IsNotRetried) {
  FaultSettings settings;
  settings.huge_bytes = 100'000'000;
  const FaultServer server(
      good_answer, [](const ServerRequest&) { return GetParam().fault; }, settings);
  HttpOptions options = quick_options();
  options.largest_body = 1'000'000;
  HttpClient client(options);
  try {
    client.fetch({.url = server.url("/wfs?service=WFS")}, must_be_good, {});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), GetParam().kind);
    EXPECT_TRUE(contains(error.what(), server.url("/wfs?service=WFS"))) << error.what();
    EXPECT_TRUE(contains(error.what(), GetParam().says)) << error.what();
    EXPECT_EQ(dynamic_cast<const BodyTooLarge*>(&error) != nullptr, GetParam().fault == Fault::huge);
  }
  EXPECT_EQ(server.request_count(), GetParam().requests);
  const HttpStatistics statistics = client.statistics();
  EXPECT_EQ(statistics.requests, 1U);  // redirects are not counted
  EXPECT_EQ(statistics.retries, 0U);
  EXPECT_EQ(statistics.failures, 1U);
  EXPECT_LT(statistics.bytes, 1'100'000U);
}

INSTANTIATE_TEST_SUITE_P(Faults, FinalFault,
                         testing::Values(FinalCase{Fault::huge, ErrorKind::unsupported, 1, "limit of 1000000"},
                                         FinalCase{Fault::redirect_loop, ErrorKind::unsupported, 6, "redirects"},
                                         FinalCase{Fault::redirect_scheme, ErrorKind::unsupported, 1, "ftp://127.0.0.1/elsewhere"},
                                         FinalCase{Fault::bad_request, ErrorKind::unsupported, 1, "status 400"},
                                         FinalCase{Fault::forbidden, ErrorKind::permission, 1, "status 403"},
                                         FinalCase{Fault::not_found, ErrorKind::not_found, 1, "status 404: 404 Not Found"}),
                         [](const auto& one) { return std::string(test::to_string(one.param.fault)); });

TEST(HttpFaults, ASlowBodyIsWaitedFor) {
  FaultSettings settings;
  settings.slow_pause = std::chrono::milliseconds(10);
  const FaultServer server(
      good_answer, [](const ServerRequest&) { return Fault::slow; }, settings);
  HttpClient client(quick_options());
  EXPECT_EQ(client.fetch({.url = server.url("/")}, must_be_good, {}).body, good_body);
  EXPECT_EQ(server.request_count(), 1U);
}

TEST(HttpFaults, ABodySlowerThanTheTimeoutIsBrokenOff) {
  FaultSettings settings;
  settings.slow_pause = std::chrono::milliseconds(300);
  const FaultServer server(
      good_answer, [](const ServerRequest& request) { return request.number == 0 ? Fault::slow : Fault::none; }, settings);
  HttpOptions options = quick_options();
  options.timeout = 2;  // ten pieces take 2.7 s
  HttpClient client(options);
  EXPECT_EQ(client.fetch({.url = server.url("/")}, must_be_good, {}).body, good_body);
  EXPECT_EQ(server.request_count(), 2U);
}

TEST(HttpFaults, AServerThatIsGoneIsAnIoError) {
  const FaultServer server(good_answer, [](const ServerRequest&) { return Fault::gone; });
  HttpClient client(quick_options());
  const std::string message = thrown_by<IoError>([&] { client.fetch({.url = server.url("/")}, {}, {}); });
  EXPECT_TRUE(contains(message, server.url("/"))) << message;
  EXPECT_EQ(client.statistics().requests, 4U);
  EXPECT_EQ(server.request_count(), 1U);
}

TEST(HttpFaults, RequestTimeoutOfTheServerIsRetried) {
  const FaultServer server([](const ServerRequest& request) {
    return request.number == 0 ? ServerAnswer{408, "", "", {}} : good_answer(request);
  });
  HttpClient client(quick_options());
  EXPECT_EQ(client.fetch({.url = server.url("/")}, must_be_good, {}).body, good_body);
  EXPECT_EQ(server.request_count(), 2U);
}

TEST(HttpFaults, AnErrorWhosePageBreaksOffIsStillThatError) {
  const FaultServer server(
      [](const ServerRequest&) {
        return ServerAnswer{404, "text/html", "no such layer", {}};
      },
      [](const ServerRequest&) { return Fault::truncated; });
  HttpClient client(quick_options());
  EXPECT_THROW(client.fetch({.url = server.url("/")}, {}, {}), NotFound);
  EXPECT_EQ(server.request_count(), 1U);
}

TEST(HttpFaults, AHundredMegabytesFitWhereTheLimitAllowsThem) {
  FaultSettings settings;
  settings.huge_bytes = 100'000'000;
  const FaultServer server(
      good_answer, [](const ServerRequest&) { return Fault::huge; }, settings);
  HttpClient client(quick_options());
  const HttpResponse response = client.fetch({.url = server.url("/")}, {}, {});
  EXPECT_EQ(response.body.size(), 100'000'000U);
  EXPECT_EQ(client.statistics().bytes, 100'000'000U);
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

TEST(HttpFaults, ABodyThatGrowsBeyondTheLimitOnlyWhenUnpackedIsTooLarge) {
  const std::string packed = gzip(std::string(20'000'000, ' '));
  ASSERT_LT(packed.size(), 100'000U);
  const FaultServer server([&](const ServerRequest&) {
    return ServerAnswer{200, "application/json", packed, {{"Content-Encoding", "gzip"}}};
  });
  HttpOptions options = quick_options();
  options.largest_body = 1'000'000;
  HttpClient client(options);
  EXPECT_THROW(client.fetch({.url = server.url("/")}, {}, {}), BodyTooLarge);
  EXPECT_LT(client.statistics().bytes, 1'100'000U);
  EXPECT_EQ(client.fetch({.url = server.url("/"), .largest_body = 20'000'000}, {}, {}).body.size(), 20'000'000U);
  EXPECT_EQ(server.request_count(), 2U);
}

TEST(HttpFaults, APackedBodyThatIsDamagedIsRetried) {
  std::string damaged = gzip(good_body);
  damaged[damaged.size() / 2] = static_cast<char>(~damaged[damaged.size() / 2]);
  const FaultServer server([&](const ServerRequest& request) {
    return ServerAnswer{200, "application/json", request.number == 0 ? damaged : gzip(good_body), {{"Content-Encoding", "gzip"}}};
  });
  HttpClient client(quick_options());
  EXPECT_EQ(client.fetch({.url = server.url("/")}, must_be_good, {}).body, good_body);
  EXPECT_EQ(server.request_count(), 2U);
}

TEST(HttpFaults, ACheckThatSaysItCannotPassEndsTheFetch) {
  const FaultServer server(good_answer);
  HttpClient client(quick_options());
  EXPECT_THROW(client.fetch({.url = server.url("/")}, [](const HttpResponse&) { throw CorruptData("wrong"); }, {}), CorruptData);
  EXPECT_EQ(server.request_count(), 1U);
  EXPECT_EQ(client.statistics().failures, 1U);
}

}  // namespace
}  // namespace tuile::source
