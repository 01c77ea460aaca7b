#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "http_fixture.hpp"
#include "support/temporary_folder.hpp"

namespace tuile::source {
namespace {

std::string numbers(std::size_t size, int seed = 0) {
  std::string text(size, '\0');
  std::uint32_t state = 12345U + static_cast<std::uint32_t>(seed);
  for (char& c : text) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>(state >> 24);
  }
  return text;
}

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class Download : public testing::Test {
 protected:
  ServerAnswer file(const ServerRequest& request) { return test::file_answer(request, content_, etag_); }
  FaultServer::Handler handler() {
    return [this](const ServerRequest& request) { return file(request); };
  }
  /// Leaves half of the content behind, as an interrupted download does.
  void interrupt(const FaultServer& server) {
    HttpOptions options = quick_options();
    options.retries = 0;
    HttpClient client(options);
    EXPECT_THROW(client.download(server.url("/tile"), path_, {}, {}), IoError);
    EXPECT_EQ(read_file(path_), content_.substr(0, content_.size() / 2));
  }
  void expect_whole(std::uint64_t size) {
    EXPECT_EQ(size, content_.size());
    EXPECT_TRUE(read_file(path_) == content_);
    EXPECT_FALSE(std::filesystem::exists(path_ + ".etag"));
  }
  static Fault first_truncated(const ServerRequest& request) { return request.number == 0 ? Fault::truncated : Fault::none; }
  static std::string range_of(const ServerRequest& request) {
    const auto found = request.headers.find("range");
    return found == request.headers.end() ? "" : found->second;
  }

  test::TemporaryFolder folder_;
  const std::string path_ = folder_ / "tile.laz";
  std::string content_ = numbers(1'000'000);
  std::string etag_ = "\"one\"";
};

TEST_F(Download, BringsAFile) {
  const FaultServer server(handler());
  HttpClient client(quick_options());
  std::uint64_t last = 0, total = 0;
  expect_whole(client.download(server.url("/tile"), path_,
                               [&](std::uint64_t so_far, std::uint64_t all) {
                                 EXPECT_GT(so_far, last);
                                 last = so_far;
                                 total = all;
                               },
                               {}));
  EXPECT_EQ(last, content_.size());
  EXPECT_EQ(total, content_.size());
  EXPECT_EQ(client.statistics().bytes, content_.size());
  EXPECT_EQ(server.request_count(), 1U);
}

TEST_F(Download, BringsAnEmptyFile) {
  content_.clear();
  const FaultServer server(handler());
  HttpClient client(quick_options());
  std::ofstream(path_) << "what stood here before";
  expect_whole(client.download(server.url("/tile"), path_, {}, {}));
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(Download, GoesOnWhereAnAttemptBrokeOff) {
  const FaultServer server(handler(), first_truncated);
  HttpClient client(quick_options());
  expect_whole(client.download(server.url("/tile"), path_, {}, {}));
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(range_of(requests[0]), "");
  EXPECT_EQ(range_of(requests[1]), "bytes=500000-");
  EXPECT_EQ(requests[1].headers.at("if-range"), etag_);
  EXPECT_EQ(client.statistics().bytes, content_.size());
}

TEST_F(Download, GoesOnWhereAnotherClientWasInterrupted) {
  const FaultServer server(handler(), first_truncated);
  interrupt(server);
  HttpClient client(quick_options());
  expect_whole(client.download(server.url("/tile"), path_, {}, {}));
  EXPECT_EQ(range_of(server.requests().at(1)), "bytes=500000-");
  EXPECT_EQ(client.statistics().bytes, content_.size() / 2);
}

TEST_F(Download, AttemptsThatMadeProgressDoNotCount) {
  // Each attempt brings half of what is missing: far more attempts than retries allowed.
  const FaultServer server(handler(), [](const ServerRequest& request) { return request.number < 12 ? Fault::truncated : Fault::none; });
  HttpOptions options = quick_options();
  options.retries = 1;
  HttpClient client(options);
  expect_whole(client.download(server.url("/tile"), path_, {}, {}));
  EXPECT_EQ(server.request_count(), 13U);
}

TEST_F(Download, WithoutAValidatorItBeginsAnewAndEnds) {
  etag_.clear();
  const FaultServer server(handler(), [](const ServerRequest&) { return Fault::truncated; });
  HttpOptions options = quick_options();
  options.retries = 2;
  HttpClient client(options);
  EXPECT_THROW(client.download(server.url("/tile"), path_, {}, {}), IoError);
  const auto requests = server.requests();
  EXPECT_EQ(requests.size(), 3U);
  for (const ServerRequest& request : requests) EXPECT_EQ(range_of(request), "");
}

TEST_F(Download, AWeakEtagIsNoValidator) {
  etag_ = "W/\"one\"";
  const FaultServer server(handler(), first_truncated);
  HttpClient client(quick_options());
  expect_whole(client.download(server.url("/tile"), path_, {}, {}));
  EXPECT_EQ(range_of(server.requests().at(1)), "");
}

TEST_F(Download, ADateIsAValidatorWhereItIsOlderThanTheAnswer) {
  const char* const modified = "Mon, 01 Jan 2024 10:00:00 GMT";
  for (const std::string date : {"Mon, 01 Jan 2024 10:00:00 GMT", "Mon, 01 Jan 2024 10:00:05 GMT"}) {
    const FaultServer server(
        [&](const ServerRequest& request) {
          ServerAnswer answer = test::file_answer(request, content_, modified);
          answer.headers = {{"Last-Modified", modified}, {"Date", date}, answer.headers.back()};
          return answer;
        },
        first_truncated);
    HttpClient client(quick_options());
    expect_whole(client.download(server.url("/tile"), path_, {}, {}));
    EXPECT_EQ(range_of(server.requests().at(1)), date == modified ? "" : "bytes=500000-");
  }
}

TEST_F(Download, AChangedFileIsBroughtAnew) {
  const FaultServer server(handler(), first_truncated);
  interrupt(server);
  content_ = numbers(900'000, 1);
  etag_ = "\"two\"";
  HttpClient client(quick_options());
  expect_whole(client.download(server.url("/tile"), path_, {}, {}));
  EXPECT_EQ(client.statistics().requests, 1U);  // If-Range gives the whole in the same answer
}

TEST_F(Download, AnotherUrlBeginsAnew) {
  const FaultServer server(handler(), first_truncated);
  interrupt(server);
  HttpClient client(quick_options());
  expect_whole(client.download(server.url("/other"), path_, {}, {}));
  EXPECT_EQ(range_of(server.requests().at(1)), "");
}

TEST_F(Download, AServerWithoutRangesBeginsAnew) {
  const FaultServer server([&](const ServerRequest&) { return ServerAnswer{200, "", content_, {{"ETag", etag_}}}; }, first_truncated);
  interrupt(server);
  HttpClient client(quick_options());
  expect_whole(client.download(server.url("/tile"), path_, {}, {}));
  EXPECT_EQ(range_of(server.requests().at(1)), "bytes=500000-");
}

TEST_F(Download, AFileThatWasWholeAlreadyIsLeftAsItIs) {
  const FaultServer server(handler(), first_truncated);
  interrupt(server);
  std::ofstream(path_, std::ios::binary) << content_;  // as if killed before the last step
  HttpClient client(quick_options());
  expect_whole(client.download(server.url("/tile"), path_, {}, {}));
  EXPECT_EQ(server.request_count(), 2U);
  EXPECT_EQ(client.statistics().bytes, 0U);
}

TEST_F(Download, ABeginningLongerThanTheFileIsBroughtAnew) {
  const FaultServer server(handler(), first_truncated);
  interrupt(server);
  std::ofstream(path_, std::ios::binary) << content_ << "and more";
  HttpClient client(quick_options());
  expect_whole(client.download(server.url("/tile"), path_, {}, {}));
  EXPECT_EQ(server.request_count(), 3U);  // 416, then the whole
}

TEST_F(Download, APartThatWasNotAskedForIsNotTaken) {
  for (const std::string range : {"bytes 0-499999/1000000", "bytes 500001-999999/1000000", "bytes x", ""}) {
    const FaultServer server(
        [&](const ServerRequest& request) {
          if (request.number != 1) return file(request);
          return ServerAnswer{206, "", content_.substr(0, 500'000), {{"Content-Range", range}, {"ETag", etag_}}};
        },
        first_truncated);
    HttpClient client(quick_options());
    expect_whole(client.download(server.url("/tile"), path_, {}, {}));
    EXPECT_EQ(server.request_count(), 3U) << range;
  }
}

TEST_F(Download, APartOfAnotherVersionIsNotTaken) {
  const FaultServer server(
      [&](const ServerRequest& request) {
        // A server that ignores If-Range.
        if (request.number != 1) return file(request);
        return ServerAnswer{206, "", numbers(500'000, 1), {{"Content-Range", "bytes 500000-999999/1000000"}, {"ETag", "\"two\""}}};
      },
      first_truncated);
  HttpClient client(quick_options());
  expect_whole(client.download(server.url("/tile"), path_, {}, {}));
  EXPECT_EQ(server.request_count(), 3U);
}

TEST_F(Download, PartsShorterThanAskedForAreJoined) {
  const FaultServer server(
      [&](const ServerRequest& request) {
        if (request.number == 0) return file(request);
        ServerRequest shorter = request;
        const std::size_t first = std::stoul(range_of(request).substr(6));
        shorter.headers["range"] = "bytes=" + std::to_string(first) + "-" + std::to_string(first + 99'999);
        return file(shorter);
      },
      first_truncated);
  HttpOptions options = quick_options();
  options.retries = 1;
  HttpClient client(options);
  expect_whole(client.download(server.url("/tile"), path_, {}, {}));
  EXPECT_EQ(server.request_count(), 6U);
}

TEST_F(Download, EveryPassingFaultIsSurvived) {
  for (const Fault fault : {Fault::throttled, Fault::error_500, Fault::error_503, Fault::silence, Fault::reset, Fault::truncated,
                            Fault::broken_chunks, Fault::garbage, Fault::slow}) {
    const FaultServer server(handler(), [&](const ServerRequest& request) { return request.number % 2 == 0 ? fault : Fault::none; });
    HttpOptions options = quick_options();
    if (fault == Fault::silence) options.timeout = 1;
    HttpClient client(options);
    expect_whole(client.download(server.url("/tile"), path_, {}, {}));
  }
}

TEST_F(Download, ASlowFileMayTakeLongerThanTheTimeoutOfAnAttempt) {
  FaultSettings settings;
  settings.slow_pause = std::chrono::milliseconds(300);
  const FaultServer server(
      handler(), [](const ServerRequest&) { return Fault::slow; }, settings);
  HttpOptions options = quick_options();
  options.timeout = 2;  // ten pieces take 2.7 s
  HttpClient client(options);
  expect_whole(client.download(server.url("/tile"), path_, {}, {}));
  EXPECT_EQ(server.request_count(), 1U);
}

TEST_F(Download, WhatIsNotThereLeavesNoFile) {
  const FaultServer server(handler(), [](const ServerRequest&) { return Fault::not_found; });
  HttpClient client(quick_options());
  EXPECT_THROW(client.download(server.url("/tile"), path_, {}, {}), NotFound);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  EXPECT_EQ(server.request_count(), 1U);
}

TEST_F(Download, PlacesThatCannotBeWrittenHaveTheirErrors) {
  const FaultServer server(handler());
  HttpClient client(quick_options());
  EXPECT_THROW(client.download(server.url("/tile"), folder_ / "missing/tile.laz", {}, {}), NotFound);
  EXPECT_THROW(client.download(server.url("/tile"), folder_.path(), {}, {}), InvalidArgument);
  EXPECT_THROW(client.download(server.url("/tile"), "/dev/null", {}, {}), InvalidArgument);
  EXPECT_EQ(server.request_count(), 0U);
}

TEST_F(Download, AFileSystemThatTakesNoMoreIsAnIoErrorAndNotRetried) {
  const FaultServer server(handler());
  HttpClient client(quick_options());
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit tight = before;
  tight.rlim_cur = 300'000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  std::string message;
  try {
    client.download(server.url("/tile"), path_, {}, {});
  } catch (const IoError& error) {
    message = error.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, old_handler);
  EXPECT_TRUE(contains(message, path_)) << message;
  EXPECT_EQ(server.request_count(), 1U);
  expect_whole(client.download(server.url("/tile"), path_, {}, {}));  // goes on once there is room
  EXPECT_EQ(range_of(server.requests().at(1)), "bytes=300000-");
}

TEST_F(Download, TwoDoNotShareAFile) {
  const FaultServer server(handler(), [](const ServerRequest&) { return Fault::silence; });
  HttpClient client(quick_options());
  std::jthread first([&](const std::stop_token& stop) { EXPECT_THROW(client.download(server.url("/tile"), path_, {}, stop), Cancelled); });
  ASSERT_TRUE(eventually([&] { return server.request_count() == 1; }));
  const std::string message = thrown_by<IoError>([&] { client.download(server.url("/tile"), path_, {}, {}); });
  EXPECT_TRUE(contains(message, "another download")) << message;
}

TEST_F(Download, StopsQuicklyAndErrorsOfTheProgressComeOut) {
  FaultSettings settings;
  settings.slow_pause = std::chrono::seconds(100);
  const FaultServer server(
      handler(), [](const ServerRequest&) { return Fault::slow; }, settings);
  HttpOptions options = quick_options();
  options.timeout = 1000;
  HttpClient client(options);
  std::atomic<bool> started{false};
  std::jthread thread([&](const std::stop_token& stop) {
    EXPECT_THROW(client.download(
                     server.url("/tile"), path_, [&](std::uint64_t, std::uint64_t) { started = true; }, stop),
                 Cancelled);
  });
  ASSERT_TRUE(eventually([&] { return server.request_count() == 1; }));
  const auto before = TestClock::now();
  thread.request_stop();
  thread.join();
  EXPECT_LT(TestClock::now() - before, std::chrono::seconds(60));  // the wait itself is of 100
  const FaultServer good(handler());
  EXPECT_THROW(
      client.download(good.url("/tile"), folder_ / "other", [](std::uint64_t, std::uint64_t) { throw std::logic_error("mine"); }, {}),
      std::logic_error);
}

}  // namespace
}  // namespace tuile::source
