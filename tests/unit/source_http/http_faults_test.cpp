#include <gtest/gtest.h>

#include <string>

#include "support/fault_server.hpp"
#include "tuile/source/http.hpp"

namespace tuile::source {
namespace {

TEST(HttpClient, Smoke) {
  test::FaultServer server([](const test::ServerRequest& r) { return test::ServerAnswer{.content_type = "Text/Plain; charset=x", .body = "hello " + r.target + r.body}; });
  HttpClient client({});
  EXPECT_EQ(client.fetch({.url = server.url("/a?b=1")}, {}, {}).body, "hello /a?b=1");
  EXPECT_EQ(client.fetch({.url = server.url("/a?b=1"), .body = "c=2"}, {}, {}).body, "hello /a?b=1c=2");
}

}  // namespace
}  // namespace tuile::source
