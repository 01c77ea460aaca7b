#include "http_fixture.hpp"
#include "source/http_answer.hpp"
#include "source/http_url.hpp"

namespace tuile::source {
namespace {

ServerAnswer echo(const ServerRequest& request) {
  return {200, "Text/Plain; charset=UTF-8", request.method + " " + request.target + " " + request.body, {}};
}

TEST(HttpClient, SendsGetAndPost) {
  const FaultServer server(echo);
  HttpClient client(quick_options());
  const HttpResponse answer = client.fetch({.url = server.url("/a%20b?c=d%26e")}, {}, {});
  EXPECT_EQ(answer.body, "GET /a%20b?c=d%26e ");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/plain");
  const std::string large(300'000, 'x');
  EXPECT_EQ(client.fetch({.url = server.url("/post"), .body = large, .body_type = "application/xml"}, {}, {}).body, "POST /post " + large);
  EXPECT_EQ(server.requests().at(1).headers.at("content-type"), "application/xml");
  EXPECT_TRUE(server.requests().at(0).headers.at("user-agent").starts_with("tuile/"));
}

TEST(HttpClient, KeepsItsConnections) {
  const FaultServer server(echo);
  HttpClient client(quick_options());
  for (int i = 0; i < 20; ++i) client.fetch({.url = server.url("/")}, {}, {});
  EXPECT_EQ(server.connection_count(), 1U);
}

TEST(HttpClient, HasNoMoreRequestsOnTheWayThanAllowed) {
  FaultSettings settings;
  settings.latency = std::chrono::milliseconds(10);
  const FaultServer server(echo, {}, settings);
  HttpOptions options = quick_options();
  options.max_in_flight = 3;
  HttpClient client(options);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 12; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 5; ++i) client.fetch({.url = server.url("/")}, {}, {});
      });
    }
  }
  EXPECT_EQ(server.request_count(), 60U);
  EXPECT_LE(server.most_at_once(), 3);
  EXPECT_LE(server.connection_count(), 3U);
}

TEST(HttpClient, CountsExactly) {
  // Of every ten requests one is throttled and one fails; each is good when it comes again.
  std::atomic<int> faults{0};
  const FaultServer server(
      [](const ServerRequest&) {
        return ServerAnswer{200, "text/plain", "12345", {}};
      },
      [&](const ServerRequest& request) {
        if (request.number % 10 == 3) return faults += 1, Fault::empty;
        return request.number % 10 == 7 ? Fault::error_500 : Fault::none;
      });
  HttpOptions options = quick_options();
  options.retries = 20;
  HttpClient client(options);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 25; ++i) {
          client.fetch({.url = server.url("/")},
                       [](const HttpResponse& response) {
                         if (response.body.empty()) throw IoError("empty");
                       },
                       {});
        }
      });
    }
  }
  EXPECT_THROW(client.fetch({.url = "no url"}, {}, {}), InvalidArgument);
  std::uint64_t bytes = 0, errors = 0;
  for (const ServerRequest& request : server.requests()) {
    if (request.number % 10 == 7) errors += 1;
    if (request.number % 10 != 3 && request.number % 10 != 7) bytes += 5;
  }
  const std::string page = "<html><body><h1>500 Internal Server Error</h1></body></html>";
  const HttpStatistics statistics = client.statistics();
  EXPECT_EQ(statistics.requests, server.request_count());
  EXPECT_EQ(statistics.retries, server.request_count() - 100);
  EXPECT_EQ(statistics.retries, static_cast<std::uint64_t>(faults) + errors);
  EXPECT_EQ(statistics.failures, 1U);
  EXPECT_EQ(statistics.throttled, 0U);
  EXPECT_EQ(statistics.refused, 0U);
  EXPECT_EQ(statistics.bytes, bytes + errors * page.size());
}

TEST(HttpClient, CountsThrottledAnswers) {
  const FaultServer server(echo, [](const ServerRequest& request) { return request.number < 3 ? Fault::throttled : Fault::none; });
  HttpOptions options = quick_options();
  LogBook log;
  options.log = log.writer();
  HttpClient client(options);
  client.fetch({.url = server.url("/")}, {}, {});
  EXPECT_EQ(client.statistics().throttled, 3U);
  EXPECT_EQ(log.count("429: too many"), 3);
  EXPECT_EQ(log.count("wants to be left alone for 1 s, is for 1 s"), 3);
}

TEST(HttpClient, FollowsRedirects) {
  const FaultServer other(echo);
  const FaultServer server([&](const ServerRequest& request) {
    if (request.path == "/relative/here") return ServerAnswer{301, "", "", {{"Location", "../there?x=1"}}};
    if (request.path == "/post") return ServerAnswer{307, "", "", {{"Location", "/there"}}};
    if (request.path == "/see") return ServerAnswer{303, "", "", {{"Location", "/there"}}};
    if (request.path == "/away") return ServerAnswer{308, "", "", {{"Location", other.url("/elsewhere")}}};
    if (request.path == "/nowhere") return ServerAnswer{302, "", "", {}};
    if (request.path.starts_with("/count/")) {
      const int left = std::stoi(request.path.substr(7));
      if (left > 0) return ServerAnswer{302, "", "", {{"Location", std::to_string(left - 1)}}};
    }
    return echo(request);
  });
  HttpClient client(quick_options());
  EXPECT_EQ(client.fetch({.url = server.url("/relative/here")}, {}, {}).body, "GET /there?x=1 ");
  EXPECT_EQ(client.fetch({.url = server.url("/post"), .body = "a=b"}, {}, {}).body, "POST /there a=b");
  EXPECT_EQ(client.fetch({.url = server.url("/see"), .body = "a=b"}, {}, {}).body, "GET /there ");
  EXPECT_EQ(client.fetch({.url = server.url("/away")}, {}, {}).body, "GET /elsewhere ");
  EXPECT_EQ(client.fetch({.url = server.url("/count/5")}, {}, {}).body, "GET /count/0 ");
  EXPECT_EQ(client.statistics().requests, 5U);
  EXPECT_THROW(client.fetch({.url = server.url("/count/6")}, {}, {}), Unsupported);
  EXPECT_THROW(client.fetch({.url = server.url("/nowhere")}, {}, {}), Unsupported);
}

TEST(HttpClient, RefusesOptionsOutOfRange) {
  const auto refused = [](auto change) {
    HttpOptions options;
    change(options);
    return !thrown_by<InvalidArgument>([&] { const HttpClient client(options); }).empty();
  };
  EXPECT_TRUE(refused([](HttpOptions& o) { o.requests_per_second = -1; }));
  EXPECT_TRUE(refused([](HttpOptions& o) { o.requests_per_second = std::numeric_limits<double>::quiet_NaN(); }));
  EXPECT_TRUE(refused([](HttpOptions& o) { o.max_in_flight = 0; }));
  EXPECT_TRUE(refused([](HttpOptions& o) { o.timeout = 0; }));
  EXPECT_TRUE(refused([](HttpOptions& o) { o.connect_timeout = -3; }));
  EXPECT_TRUE(refused([](HttpOptions& o) { o.retries = -1; }));
  EXPECT_TRUE(refused([](HttpOptions& o) { o.retry_delay = -1; }));
  EXPECT_TRUE(refused([](HttpOptions& o) { o.longest_delay = std::numeric_limits<double>::infinity(); }));
  EXPECT_TRUE(refused([](HttpOptions& o) { o.breaker_failures = 0; }));
  EXPECT_TRUE(refused([](HttpOptions& o) { o.breaker_pause = -1; }));
  EXPECT_TRUE(refused([](HttpOptions& o) { o.largest_body = 0; }));
}

TEST(HttpClient, RefusesWhatIsNoUrl) {
  HttpClient client(quick_options());
  for (const char* url : {"", "ftp://host/", "file:///etc/passwd", "http://", "host/path", "https://[::1"}) {
    EXPECT_THROW(client.fetch({.url = url}, {}, {}), InvalidArgument) << url;
    EXPECT_THROW(client.download(url, "never-created", {}, {}), InvalidArgument) << url;
  }
}

TEST(HttpUrl, TellsUrlsFromPaths) {
  EXPECT_TRUE(is_url("http://host"));
  EXPECT_TRUE(is_url("HTTPS://host/x"));
  EXPECT_FALSE(is_url("http:/host"));
  EXPECT_FALSE(is_url("httpx://host"));
  EXPECT_FALSE(is_url("/data/http://x"));
  EXPECT_FALSE(is_url(""));
}

TEST(HttpUrl, EncodesValues) {
  EXPECT_EQ(url_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(url_encode("a b&c=d/é+"), "a%20b%26c%3Dd%2F%C3%A9%2B");
  EXPECT_EQ(url_encode(std::string_view("\0\xFF", 2)), "%00%FF");
}

TEST(HttpUrl, NamesOrigins) {
  EXPECT_EQ(origin_of("https://Data.Example.org/wfs?x"), "https://data.example.org:443");
  EXPECT_EQ(origin_of("HTTP://user:word@host:8080"), "http://host:8080");
  EXPECT_EQ(origin_of("http://[::1]/"), "http://[::1]:80");
}

TEST(HttpUrl, FollowsNoRedirectThatGivesUpProtection) {
  EXPECT_EQ(redirect_target("http://a/b/c", "https://d/e"), "https://d/e");
  EXPECT_EQ(redirect_target("https://a/b/c?x", "d?y=1"), "https://a/b/d?y=1");
  EXPECT_EQ(redirect_target("https://a/b", "//c/d"), "https://c/d");
  EXPECT_THROW(redirect_target("https://a/b", "http://a/b"), Unsupported);
  EXPECT_THROW(redirect_target("HTTPS://a/b", "HTTP://a/b"), Unsupported);
  EXPECT_THROW(redirect_target("http://a/b", "ftp://a/b"), Unsupported);
  EXPECT_THROW(redirect_target("http://a/b", "file:///etc/passwd"), Unsupported);
  EXPECT_THROW(redirect_target("http://a/b", ""), Unsupported);
}

TEST(HttpUrl, MessagesKeepSecretsAndAreShort) {
  EXPECT_EQ(url_text("http://user:word@host/a@b"), "http://host/a@b");
  EXPECT_LT(url_text("http://host/" + std::string(5000, 'x')).size(), 250U);
}

TEST(HttpAnswer, ReadsRetryAfter) {
  const auto seconds = [](const char* retry_after, const char* date = "") {
    AnswerHead head;
    head.retry_after = retry_after;
    head.date = date;
    return retry_after_seconds(head);
  };
  EXPECT_EQ(seconds("5"), 5);
  EXPECT_EQ(seconds("0"), 0);
  EXPECT_EQ(seconds(""), 0);
  EXPECT_EQ(seconds("soon"), 0);
  EXPECT_EQ(seconds("-5"), 0);
  EXPECT_GT(seconds("99999999999999999999"), 1e8);
  EXPECT_EQ(seconds("Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:49 GMT"), 10);
  EXPECT_EQ(seconds("Fri, 31 Dec 1999 23:59:59 GMT"), 0);
  EXPECT_GT(seconds("Tue, 01 Jan 2069 00:00:00 GMT"), 1e8);
}

TEST(HttpAnswer, ExcerptsArePlainText) {
  Excerpt page;
  const std::string text = "<html>\n<b>no\x01 such</b>\t\tla\xC3\xA9yer &amp;</html>\n";
  EXPECT_TRUE(page.add(text));
  EXPECT_EQ(page.text(), ": no? such la??yer &amp;");
  EXPECT_EQ(Excerpt().text(), "");
  Excerpt endless;
  bool more = true;
  std::size_t taken = 0;
  while (more && taken < 10'000'000) {
    more = endless.add(std::string(50'000, 'x'));
    taken += 50'000;
  }
  EXPECT_LT(taken, 2'000'000U);
  EXPECT_LT(endless.text().size(), 250U);
}

}  // namespace
}  // namespace tuile::source
