// The token bucket, Retry-After and the breaker, seen from the server. Times are bounded from one side only: never faster than allowed.
#include "source/host_gate.hpp"

#include "http_fixture.hpp"

namespace tuile::source {
namespace {

ServerAnswer hello(const ServerRequest&) { return {200, "text/plain", "hello", {}}; }

/// Expects of the arrivals since `start` what a bucket allows: the first `burst` at once, each further one an interval later.
void expect_spaced(const FaultServer& server, TestClock::time_point start, double rate, std::size_t count) {
  const std::vector<ServerRequest> requests = server.requests();
  ASSERT_EQ(requests.size(), count);
  for (std::size_t k = 0; k < count; ++k) {
    const double earliest = (static_cast<double>(k) + 1 - HostGate::burst(rate)) / rate;
    EXPECT_GT(std::chrono::duration<double>(requests[k].at - start).count(), earliest - 0.001) << "request " << k;
  }
}

TEST(HostGate, BurstsAreSmall) {
  EXPECT_EQ(HostGate::burst(0.1), 1);
  EXPECT_EQ(HostGate::burst(7), 1);
  EXPECT_EQ(HostGate::burst(8), 2);
  EXPECT_EQ(HostGate::burst(20), 5);
  EXPECT_EQ(HostGate::burst(1000), 5);
}

TEST(HostGate, RequestsOfAllClientsTogetherKeepTheRate) {
  const FaultServer server(hello);
  HttpOptions options = quick_options();
  options.requests_per_second = 40;
  options.max_in_flight = 8;
  HttpClient first(options), second(options);
  const auto start = TestClock::now();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 6; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 5; ++i) (t % 2 == 0 ? first : second).fetch({.url = server.url("/")}, {}, {});
      });
    }
  }
  expect_spaced(server, start, 40, 30);
}

TEST(HostGate, HostsDoNotWaitForEachOther) {
  const FaultServer one(hello), other(hello);
  HttpOptions options = quick_options();
  options.requests_per_second = 0.001;  // a second request to the same host would wait for a quarter of an hour
  HttpClient client(options);
  EXPECT_EQ(client.fetch({.url = one.url("/")}, {}, {}).body, "hello");
  EXPECT_EQ(client.fetch({.url = other.url("/")}, {}, {}).body, "hello");
}

TEST(HostGate, ARetryAfterStopsEveryThread) {
  for (const Fault fault : {Fault::throttled, Fault::throttled_date, Fault::error_503}) {
    const FaultServer server(hello, [&](const ServerRequest& request) { return request.number == 0 ? fault : Fault::none; });
    HttpOptions options = quick_options();
    options.longest_delay = 10;
    LogBook log;
    options.log = log.writer();
    HttpClient client(options), other(quick_options());
    {
      std::jthread throttled([&] { client.fetch({.url = server.url("/first")}, {}, {}); });
      ASSERT_TRUE(eventually([&] { return log.count("wants to be left alone for") == 1; }));
      std::vector<std::jthread> threads;
      for (int t = 0; t < 3; ++t) threads.emplace_back([&, t] { (t == 0 ? other : client).fetch({.url = server.url("/")}, {}, {}); });
    }
    const std::vector<ServerRequest> requests = server.requests();
    ASSERT_EQ(requests.size(), 5U);
    for (std::size_t k = 1; k < requests.size(); ++k) {
      EXPECT_GT(std::chrono::duration<double>(requests[k].at - requests[0].at).count(), 0.95)
          << "request " << k << " after " << to_string(fault);
    }
  }
}

TEST(HostGate, ARetryAfterIsObeyedNoLongerThanTheLongestDelay) {
  FaultSettings settings;
  settings.retry_after = 100'000;
  const FaultServer server(
      hello, [&](const ServerRequest& request) { return request.number == 0 ? Fault::throttled : Fault::none; }, settings);
  HttpClient client(quick_options());
  EXPECT_EQ(client.fetch({.url = server.url("/")}, {}, {}).body, "hello");
}

/// A server that fails while `broken`, and a client that never retries and gives up on it after three failures.
class Breaker : public testing::Test {
 protected:
  Breaker() {
    options_ = quick_options();
    options_.retries = 0;
    options_.breaker_failures = 3;
    options_.breaker_pause = 2;  // long beside the requests that are to be refused within it, on a busy machine, too
    options_.log = log_.writer();
  }
  /// Whether a fetch was refused without being sent.
  bool refused(HttpClient& client) {
    const std::uint64_t before = client.statistics().refused;
    EXPECT_THROW(client.fetch({.url = server_.url("/")}, {}, {}), IoError);
    return client.statistics().refused == before + 1;
  }
  void open(HttpClient& client) {
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(refused(client));
  }
  static void wait_out_the_pause() { std::this_thread::sleep_for(std::chrono::milliseconds(2050)); }

  std::atomic<Fault> fault_{Fault::error_500};
  FaultServer server_{hello, [this](const ServerRequest&) { return fault_.load(); }};
  LogBook log_;
  HttpOptions options_;
};

TEST_F(Breaker, OpensForEveryClient) {
  options_.breaker_pause = 1000;
  HttpClient client(options_), other(options_);
  open(client);
  EXPECT_TRUE(refused(client));
  EXPECT_TRUE(refused(other));
  const std::string message = thrown_by<IoError>([&] { client.fetch({.url = server_.url("/x")}, {}, {}); });
  EXPECT_TRUE(contains(message, server_.url("/x"))) << message;
  EXPECT_TRUE(contains(message, "3 times in a row")) << message;
  EXPECT_EQ(server_.request_count(), 3U);
  EXPECT_EQ(log_.count("is not asked for 1000 s"), 1);
}

TEST_F(Breaker, ProbesAfterThePauseAndClosesWhenOneSucceeds) {
  HttpClient client(options_);
  open(client);
  wait_out_the_pause();
  EXPECT_FALSE(refused(client));  // the probe, which fails
  EXPECT_TRUE(refused(client));
  EXPECT_EQ(server_.request_count(), 4U);
  EXPECT_EQ(log_.count("is not asked for"), 2);
  wait_out_the_pause();
  fault_ = Fault::none;
  EXPECT_EQ(client.fetch({.url = server_.url("/")}, {}, {}).body, "hello");
  EXPECT_EQ(client.fetch({.url = server_.url("/")}, {}, {}).body, "hello");
  EXPECT_EQ(log_.count("answers again"), 1);
  fault_ = Fault::error_500;
  open(client);  // counts from the beginning
  EXPECT_TRUE(refused(client));
}

TEST_F(Breaker, LetsOneProbeThroughAtATimeAndAnotherOneWhereItIsCancelled) {
  HttpClient client(options_);
  open(client);
  wait_out_the_pause();
  fault_ = Fault::silence;
  std::jthread probe([&](const std::stop_token& stop) { EXPECT_THROW(client.fetch({.url = server_.url("/probe")}, {}, stop), Cancelled); });
  ASSERT_TRUE(eventually([&] { return server_.request_count() == 4; }));
  EXPECT_TRUE(refused(client));
  probe.request_stop();
  probe.join();
  fault_ = Fault::none;
  EXPECT_EQ(client.fetch({.url = server_.url("/")}, {}, {}).body, "hello");
}

TEST_F(Breaker, EndsTheRetriesOfThoseOnTheWay) {
  options_.retries = 10;
  options_.breaker_pause = 1000;
  HttpClient client(options_);
  EXPECT_THROW(client.fetch({.url = server_.url("/")}, {}, {}), IoError);
  EXPECT_EQ(server_.request_count(), 3U);
  EXPECT_EQ(client.statistics().refused, 1U);
}

TEST_F(Breaker, CountsWhatSpeaksOfTheHostOnly) {
  HttpClient client(options_);
  for (const Fault fault : {Fault::not_found, Fault::bad_request, Fault::throttled, Fault::html_page}) {
    fault_ = fault;
    for (int i = 0; i < 4; ++i) {
      EXPECT_THROW(client.fetch({.url = server_.url("/")}, [](const HttpResponse&) { throw IoError("not what was asked for"); }, {}),
                   Error);
    }
  }
  EXPECT_EQ(server_.request_count(), 16U);
  EXPECT_EQ(client.statistics().refused, 0U);
  for (const Fault fault : {Fault::reset, Fault::truncated, Fault::garbage}) {
    fault_ = fault;
    EXPECT_FALSE(refused(client));
  }
  EXPECT_TRUE(refused(client));
}

/// Starts a call that waits, asks it to stop, and expects it to be gone soon.
template <class Started, class Call>
void expect_quick_stop(Started&& started, Call&& call) {
  std::jthread thread([&](const std::stop_token& stop) { EXPECT_THROW(call(stop), Cancelled); });
  ASSERT_TRUE(eventually(started));
  const auto before = TestClock::now();
  thread.request_stop();
  thread.join();
  EXPECT_LT(TestClock::now() - before, std::chrono::seconds(60));  // the wait itself is of 1000
}

TEST(HttpStop, EndsEveryKindOfWait) {
  FaultSettings settings;
  settings.retry_after = 1000;
  std::atomic<Fault> fault{Fault::silence};
  const auto rule = [&](const ServerRequest&) { return fault.load(); };
  HttpOptions options = quick_options();
  options.timeout = options.retry_delay = options.longest_delay = 1000;
  options.max_in_flight = 1;
  options.retries = 1;
  LogBook log;
  options.log = log.writer();
  const auto fetch = [](HttpClient& client, const FaultServer& server) {
    return [&](const std::stop_token& stop) { client.fetch({.url = server.url("/")}, {}, stop); };
  };
  {  // for an answer, and for the place that the first one holds
    const FaultServer server(hello, rule, settings);
    HttpClient client(options);
    expect_quick_stop([&] { return server.request_count() == 1; }, fetch(client, server));
    std::jthread holder([&](const std::stop_token& stop) { EXPECT_THROW(fetch(client, server)(stop), Cancelled); });
    ASSERT_TRUE(eventually([&] { return server.request_count() == 2; }));
    expect_quick_stop([&] { return true; }, fetch(client, server));
  }
  {  // for the next attempt
    fault = Fault::error_500;
    const FaultServer server(hello, rule, settings);
    HttpClient client(options);
    expect_quick_stop([&] { return log.count("retry 1 of 1") == 1; }, fetch(client, server));
  }
  {  // for the end of a Retry-After
    fault = Fault::throttled;
    const FaultServer server(hello, rule, settings);
    HttpOptions impatient = options;
    impatient.retry_delay = 0;
    HttpClient client(impatient);
    expect_quick_stop([&] { return log.count("retry 1 of 1") == 2; }, fetch(client, server));
  }
  {  // for the rate
    fault = Fault::none;
    const FaultServer server(hello, rule, settings);
    options.requests_per_second = 0.001;
    HttpClient client(options);
    client.fetch({.url = server.url("/")}, {}, {});
    expect_quick_stop([] { return true; }, fetch(client, server));
    EXPECT_EQ(server.request_count(), 1U);
  }
  {  // a stop that was requested before
    const FaultServer server(hello);
    HttpClient client(quick_options());
    std::stop_source source;
    source.request_stop();
    EXPECT_THROW(client.fetch({.url = server.url("/")}, {}, source.get_token()), Cancelled);
    EXPECT_EQ(server.request_count(), 0U);
  }
}

}  // namespace
}  // namespace tuile::source
