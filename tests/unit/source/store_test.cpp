#include "tuile/source/store.hpp"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "http_fixture.hpp"
#include "support/temporary_folder.hpp"

namespace tuile::source {
namespace {

constexpr std::size_t head = 65536;  // bytes that the first request brings

std::string make_content(std::size_t size) {
  std::string content(size, '\0');
  std::uint32_t state = 1;
  for (char& c : content) c = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
  return content;
}

std::string text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::string read_text(const ByteSource& source, std::uint64_t offset, std::size_t size) {
  Buffer<std::byte> bytes(size);
  source.read(offset, bytes.span());
  return text_of(bytes.span());
}

std::string all_of(const ByteSource& source) { return text_of(read_all(source).span()); }

const std::string content = make_content(300'000);

ServerAnswer good(const ServerRequest& request) { return test::file_answer(request, content, "\"v1\""); }

HttpOptions options() {
  HttpOptions quick = quick_options();
  quick.max_in_flight = 16;
  return quick;
}

std::string range_of(const ServerRequest& request) {
  const auto found = request.headers.find("range");
  return found == request.headers.end() ? "" : found->second;
}

TEST(Store, AFileTakesTwoRequestsOfOneConnection) {
  FaultServer server(good);
  Store store(options());
  const auto source = store.open(server.url("/a.laz"));
  EXPECT_EQ(source->size(), content.size());
  EXPECT_EQ(source->name(), server.url("/a.laz"));
  EXPECT_EQ(read_text(*source, 100, 1000), content.substr(100, 1000));
  EXPECT_EQ(server.request_count(), 1U) << "the beginning came with the first request";
  EXPECT_EQ(all_of(*source), content);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(range_of(requests[0]), "bytes=0-65535");
  EXPECT_EQ(range_of(requests[1]), "bytes=65536-299999");
  EXPECT_EQ(requests[1].headers.at("if-range"), "\"v1\"");
  EXPECT_EQ(server.connection_count(), 1U);
  EXPECT_EQ(source->traffic().bytes, content.size());
  EXPECT_GT(source->traffic().seconds, 0.0);
}

TEST(Store, SmallReadsReadAheadAndAreKeptForAllSources) {
  FaultServer server(good);
  Store store(options());
  const std::string url = server.url("/a.laz");
  EXPECT_EQ(read_text(*store.open(url), 200'000, 60), content.substr(200'000, 60));
  EXPECT_EQ(server.request_count(), 2U);
  const auto again = store.open(url);
  EXPECT_EQ(read_text(*again, 200'060, 5000), content.substr(200'060, 5000));
  EXPECT_EQ(read_text(*again, 0, 400), content.substr(0, 400));
  EXPECT_EQ(server.request_count(), 2U);
  EXPECT_EQ(again->traffic().bytes, 0U);
  // What reaches out of what is kept brings the rest only.
  EXPECT_EQ(read_text(*again, 60'000, 10'000), content.substr(60'000, 10'000));
  EXPECT_EQ(range_of(server.requests().back()), "bytes=65536-131071");
}

TEST(Store, PiecesAreReadAtOnce) {
  FaultServer server(good, {}, {.latency = std::chrono::milliseconds(50)});
  Store store(options());
  const auto source = store.open(server.url("/a.laz"));
  std::vector<Buffer<std::byte>> out;
  std::vector<Piece> pieces;
  for (std::uint64_t offset = 10; offset < content.size() - 20'000; offset += 50'000) {
    out.emplace_back(20'000);
    pieces.push_back({offset, out.back().span()});
  }
  source->read_pieces(pieces);
  for (std::size_t i = 0; i < pieces.size(); ++i) EXPECT_EQ(text_of(pieces[i].out), content.substr(pieces[i].offset, 20'000)) << i;
  EXPECT_EQ(server.request_count(), pieces.size()) << "one piece came with the first request, and one reached out of it";
  EXPECT_GT(server.most_at_once(), 1);
}

TEST(Store, WhatBreaksOffGoesOnWhereItDid) {
  FaultServer server(good, [](const ServerRequest& request) { return request.number == 1 ? Fault::truncated : Fault::none; });
  Store store(options());
  EXPECT_EQ(all_of(*store.open(server.url("/a.laz"))), content);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(range_of(requests[2]), "bytes=" + std::to_string(head + (content.size() - head) / 2) + "-299999");
}

class StoreFaults : public ::testing::TestWithParam<Fault> {};

TEST_P(StoreFaults, AreSurvivedAtTheBeginningAndInTheMiddle) {
  const auto rule = [](const ServerRequest& request) { return request.number == 0 || request.number == 2 ? GetParam() : Fault::none; };
  FaultServer server(good, rule, {.retry_after = 0});
  HttpOptions patient = options();
  if (GetParam() == Fault::silence) patient.timeout = 2;
  Store store(patient);
  EXPECT_EQ(all_of(*store.open(server.url("/a.laz"))), content);
  EXPECT_EQ(server.request_count(), 4U);
  EXPECT_GE(store.statistics().retries, 1U) << "a connection that was reset while it idled is replaced by libcurl itself";
}

TEST_P(StoreFaults, EndInAnErrorThatNamesTheUrlWhereTheyStay) {
  FaultServer server(good, [](const ServerRequest& request) { return request.number == 0 ? Fault::none : GetParam(); }, {.retry_after = 0});
  HttpOptions impatient = options();
  impatient.retries = 1;
  if (GetParam() == Fault::silence) impatient.timeout = 2;
  Store store(impatient);
  const auto source = store.open(server.url("/a.laz"));
  if (GetParam() == Fault::broken_chunks) {
    EXPECT_EQ(all_of(*source), content) << "each attempt brings more, to the last byte";
  } else {
    EXPECT_TRUE(contains(thrown_by<IoError>([&] { all_of(*source); }), server.url("/a.laz")));
  }
}

INSTANTIATE_TEST_SUITE_P(All, StoreFaults,
                         ::testing::Values(Fault::throttled, Fault::error_500, Fault::error_502, Fault::error_503, Fault::silence,
                                           Fault::reset, Fault::truncated, Fault::broken_chunks, Fault::garbage, Fault::empty,
                                           Fault::html_page, Fault::exception_report, Fault::json_exception),
                         [](const auto& chosen) { return std::string(test::to_string(chosen.param)); });

TEST(Store, AHugeAnswerInTheMiddleIsNotTheFile) {
  FaultServer server(good, [](const ServerRequest& request) { return request.number == 1 ? Fault::huge : Fault::none; });
  Store store(options());
  EXPECT_EQ(all_of(*store.open(server.url("/a.laz"))), content);
}

TEST(Store, AFileThatChangesIsAnErrorThatSaysSo) {
  struct Case {
    const char* what;
    std::string etag, date;  // before; afterwards they are the others
    std::size_t size;        // afterwards
  };
  const std::vector<Case> cases{{"ETag", "\"v1\"", "", content.size()},
                                {"ETag", "W/\"v1\"", "", content.size()},
                                {"date", "", "Mon, 23 Nov 2020 10:00:00 GMT", content.size()},
                                {"date", "W/\"v2\"", "Mon, 23 Nov 2020 10:00:00 GMT", content.size()},
                                {"size", "", "", content.size() - 1}};
  for (const Case& c : cases) {
    FaultServer server([&](const ServerRequest& request) {
      const bool is_first = request.number == 0;
      ServerAnswer answer = test::file_answer(request, is_first ? content : content.substr(0, c.size),
                                              c.etag.empty() || is_first || c.etag == "W/\"v2\"" ? c.etag : "\"v2\"");
      if (!c.date.empty()) answer.headers.emplace_back("Last-Modified", is_first ? c.date : "Mon, 23 Nov 2020 10:00:01 GMT");
      return answer;
    });
    Store store(options());
    const auto source = store.open(server.url("/a.laz"));
    const std::string message = thrown_by<IoError>([&] { all_of(*source); });
    EXPECT_TRUE(contains(message, server.url("/a.laz"))) << message;
    EXPECT_TRUE(contains(message, std::string("its ") + c.what + " was")) << message;
    EXPECT_EQ(server.request_count(), 2U) << "a change is not retried";
  }
}

TEST(Store, AFileThatShrankBelowTheRangeHasChanged) {
  FaultServer server(
      [](const ServerRequest& request) { return test::file_answer(request, request.number == 0 ? content : content.substr(0, 1000), ""); });
  Store store(options());
  const auto source = store.open(server.url("/a.laz"));
  EXPECT_TRUE(contains(thrown_by<IoError>([&] { all_of(*source); }), "its size was 300000 and is 1000"));
}

TEST(Store, AWrongContentRangeIsNeverTaken) {
  FaultServer server([](const ServerRequest& request) {
    ServerAnswer answer = good(request);
    if (request.number > 0) {
      for (auto& [name, value] : answer.headers) {
        if (name == "Content-Range") value = "bytes 7-234470/300000";
      }
    }
    return answer;
  });
  Store store(options());
  const auto source = store.open(server.url("/a.laz"));
  const std::string message = thrown_by<IoError>([&] { all_of(*source); });
  EXPECT_TRUE(contains(message, "bytes 7-234470/300000")) << message;
  EXPECT_TRUE(contains(message, "from 65536")) << message;
}

TEST(Store, ServersWithoutRangesAreReadFromTheBeginning) {
  FaultServer server([](const ServerRequest&) {
    return ServerAnswer{200, "application/octet-stream", content, {{"Last-Modified", "Mon, 23 Nov 2020 10:00:00 GMT"}}};
  });
  Store store(options());
  const auto source = store.open(server.url("/a.laz"));
  EXPECT_FALSE(source->has_ranges());
  EXPECT_EQ(source->size(), content.size());
  EXPECT_EQ(read_text(*source, 250'000, 100), content.substr(250'000, 100));
  EXPECT_EQ(all_of(*source), content);
  EXPECT_GT(source->traffic().bytes, content.size() + 250'000) << "what was dropped counts";
  HttpClient client(options());
  std::array<std::byte, 1> out{};
  EXPECT_TRUE(contains(thrown_by<Unsupported>([&] {
                         client.read_range(server.url(), {std::uint64_t{3} << 30, "", "", "", false}, std::uint64_t{2} << 30, out, {});
                       }),
                       "download the file"));
}

TEST(Store, EmptyFilesAreEmpty) {
  FaultServer ranges([](const ServerRequest& request) { return test::file_answer(request, "", "\"v1\""); });
  FaultServer plain([](const ServerRequest&) { return ServerAnswer{200, "application/octet-stream", "", {{"ETag", "\"v1\""}}}; });
  Store store(options());
  EXPECT_EQ(store.open(ranges.url("/a.laz"))->size(), 0U);
  EXPECT_EQ(store.open(plain.url("/a.laz"))->size(), 0U);
  EXPECT_EQ(plain.request_count(), 1U);
}

TEST(Store, WhatIsNotThereOrNotAllowedIsSaidAtOnce) {
  for (const Fault fault : {Fault::not_found, Fault::forbidden, Fault::bad_request}) {
    FaultServer server(good, [fault](const ServerRequest&) { return fault; });
    Store store(options());
    const auto open = [&] { store.open(server.url("/a.laz")); };
    const std::string message = fault == Fault::not_found   ? thrown_by<NotFound>(open)
                                : fault == Fault::forbidden ? thrown_by<PermissionDenied>(open)
                                                            : thrown_by<IoError>(open);
    EXPECT_TRUE(contains(message, server.url("/a.laz"))) << message;
    EXPECT_EQ(server.request_count(), 1U);
  }
  Store store(options());
  EXPECT_THROW(store.open("/no/such/file.laz"), NotFound);
}

TEST(Store, ReadsBeyondTheEndAreRefused) {
  FaultServer server(good);
  Store store(options());
  const auto source = store.open(server.url("/a.laz"));
  EXPECT_THROW(read_text(*source, 299'999, 2), CorruptData);
  EXPECT_THROW(read_text(*source, 300'001, 1), CorruptData);
  EXPECT_EQ(read_text(*source, 299'999, 1), content.substr(299'999));
}

TEST(Store, RedirectsAreFollowed) {
  FaultServer server([](const ServerRequest& request) {
    return request.path == "/a.laz" ? ServerAnswer{302, "text/plain", "", {{"Location", "/there"}}} : good(request);
  });
  Store store(options());
  EXPECT_EQ(all_of(*store.open(server.url("/a.laz"))), content);
}

TEST(Store, AStopEndsAWaitingRead) {
  FaultServer server(good, [](const ServerRequest& request) { return request.number == 0 ? Fault::none : Fault::silence; });
  Store store(options());
  std::stop_source stop;
  const auto source = store.open(server.url("/a.laz"), stop.get_token());
  std::jthread stopper([&] {
    eventually([&] { return server.request_count() == 2; });
    stop.request_stop();
  });
  EXPECT_THROW(all_of(*source), Cancelled);
}

TEST(Store, TheVersionIsANumberThatChangesWithTheFile) {
  const auto number = [](const char* name, const char* value) {
    FaultServer server([&](const ServerRequest& request) {
      ServerAnswer answer = test::file_answer(request, content, "");
      if (name != nullptr) answer.headers.emplace_back(name, value);
      return answer;
    });
    Store store(options());
    return store.open(server.url("/a.laz"))->modified_ns();
  };
  EXPECT_EQ(number("Last-Modified", "Thu, 01 Jan 1970 00:01:40 GMT"), 100'000'000'000);
  EXPECT_EQ(number("ETag", "\"a\""), number("ETag", "\"a\""));
  EXPECT_NE(number("ETag", "\"a\""), number("ETag", "\"b\""));
  EXPECT_GT(number("ETag", "\"a\""), 0);
  EXPECT_EQ(number(nullptr, ""), 0);
  EXPECT_NE(number("Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT"), 0);
}

TEST(Store, TwoVersionsOfOneSecondDiffer) {
  const auto number = [](const char* etag) {
    FaultServer server([&](const ServerRequest& request) {
      ServerAnswer answer = test::file_answer(request, content, etag);
      answer.headers.emplace_back("Last-Modified", "Thu, 01 Jan 1970 00:01:40 GMT");
      return answer;
    });
    Store store(options());
    return store.open(server.url("/a.laz"))->modified_ns();
  };
  EXPECT_EQ(number("\"a\""), number("\"a\""));
  EXPECT_NE(number("\"a\""), number("\"b\""));
  EXPECT_EQ(number("\"a\"") / 1'000'000'000, 100);
}

TEST(Store, RefusalsThatMayPassAreNoLastingErrors) {
  for (const int status : {400, 422, 423, 425, 451}) {
    FaultServer server([&](const ServerRequest&) { return ServerAnswer{status, "application/xml", "ExpiredToken", {}}; });
    Store store(options());
    const std::string message = thrown_by<IoError>([&] { store.open(server.url("/a.laz")); });
    EXPECT_TRUE(contains(message, std::to_string(status))) << message;
    EXPECT_EQ(server.request_count(), 1U) << status;
  }
}

TEST(Store, CompressedAnswersAreRefusedByName) {
  for (const std::uint64_t first : {0U, 1U}) {
    FaultServer server([&](const ServerRequest& request) {
      ServerAnswer answer = good(request);
      if (request.number >= first) answer.headers.emplace_back("Content-Encoding", "gzip");
      return answer;
    });
    Store store(options());
    const std::string message = thrown_by<Unsupported>([&] { all_of(*store.open(server.url("/a.laz"))); });
    EXPECT_TRUE(contains(message, "'gzip'")) << message;
    EXPECT_EQ(server.requests().back().headers.at("accept-encoding"), "identity");
  }
}

TEST(Store, APartThatDoesNotNameItsVersionIsTakenForAnIfRangeOnly) {
  for (const char* etag : {"\"v1\"", "W/\"v1\""}) {
    FaultServer server([&](const ServerRequest& request) {
      ServerAnswer answer = test::file_answer(request, content, etag);
      if (request.number > 0) std::erase_if(answer.headers, [](const auto& header) { return header.first == "ETag"; });
      return answer;
    });
    Store store(options());
    const auto source = store.open(server.url("/a.laz"));
    if (*etag == '"') {
      EXPECT_EQ(all_of(*source), content);
    } else {
      EXPECT_TRUE(contains(thrown_by<IoError>([&] { all_of(*source); }), "ETag"));
    }
  }
}

TEST(Store, ReadsAtOnceCountOneWait) {
  constexpr auto latency = std::chrono::milliseconds(100);
  FaultServer server(good, {}, {.latency = latency});
  Store store(options());
  const auto source = store.open(server.url("/a.laz"));
  const double before = source->traffic().seconds;
  std::vector<Buffer<std::byte>> out;
  std::vector<Piece> pieces;
  for (std::uint64_t offset = 70'000; pieces.size() < 4; offset += 50'000) {
    out.emplace_back(10'000);
    pieces.push_back({offset, out.back().span()});
  }
  const auto start = TestClock::now();
  source->read_pieces(pieces);
  const double waited = std::chrono::duration<double>(TestClock::now() - start).count();
  EXPECT_GE(source->traffic().seconds - before, 0.1);
  EXPECT_LE(source->traffic().seconds - before, waited) << "not the sum over the requests";
}

TEST(Store, PasswordsComeFromNetrc) {
  FaultServer server([](const ServerRequest& request) {
    const auto found = request.headers.find("authorization");
    return found != request.headers.end() && found->second == "Basic bWU6c2VjcmV0" ? good(request) : ServerAnswer{.status = 401};
  });
  const test::TemporaryFolder home;
  const char* const before = std::getenv("HOME");
  const std::optional<std::string> kept = before == nullptr ? std::nullopt : std::optional<std::string>(before);
  ::setenv("HOME", home.path().c_str(), 1);
  Store store(options());
  EXPECT_THROW(store.open(server.url("/a.laz")), PermissionDenied);
  home.write(".netrc", "machine 127.0.0.1 login me password secret\n");
  EXPECT_EQ(all_of(*store.open(server.url("/a.laz"))), content);
  if (kept) ::setenv("HOME", kept->c_str(), 1);
}

TEST(Store, MessagesHoldNoQueryOfAFile) {
  FaultServer server([](const ServerRequest& request) {
    return request.path.starts_with("/moved") ? ServerAnswer{302, "text/plain", "", {{"Location", "ftp://h/a?token=SECRET"}}}
                                              : ServerAnswer{403, "application/xml", "the token SECRET has expired", {}};
  });
  Store store(options());
  for (const char* path : {"/a.laz?token=SECRET", "/moved.laz?token=SECRET"}) {
    try {
      store.open(server.url(path));
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_FALSE(contains(error.what(), "SECRET")) << error.what();
    }
  }
}

TEST(Store, WhatIsWrittenDownHoldsNoSecret) {
  EXPECT_EQ(public_location("https://me:pw@h.example:1/a/b.laz?sig=1#x"), "https://h.example:1/a/b.laz");
  EXPECT_EQ(public_location("http://h.example/a@b.laz"), "http://h.example/a@b.laz");
  EXPECT_EQ(public_location("http://me@h.example"), "http://h.example");
  EXPECT_EQ(public_location("a/b?c#d.laz"), "a/b?c#d.laz");
}

}  // namespace
}  // namespace tuile::source
