#include "slow_server.hpp"

#include <chrono>
#include <fstream>
#include <memory>

#include "support/temporary_folder.hpp"
#include "tuile/core/error.hpp"
#include "tuile/source/http.hpp"

namespace tuile::bench {
namespace {

std::string text_of(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  return text;
}

/// A server of one file "tile.laz", and a client.
class SlowServerTest : public ::testing::Test {
 protected:
  void start(SlowServer::Options options, std::size_t size) {
    text_ = text_of(size);
    std::ofstream(folder_.path() / "tile.laz", std::ios::binary) << text_;
    server_ =
        std::make_unique<SlowServer>(options, std::map<std::string, std::string>{{"tile.laz", (folder_.path() / "tile.laz").string()}});
  }
  std::string get(const std::string& name) {
    source::HttpClient client({.retries = 0});
    return client.fetch({.url = server_->url(name)}, {}, {}).body;
  }
  test::TemporaryFolder folder_;
  std::string text_;
  std::unique_ptr<SlowServer> server_;
};

TEST_F(SlowServerTest, ServesFilesWhole) {
  start({}, 3'000'001);
  EXPECT_EQ(get("tile.laz"), text_);
  EXPECT_EQ(get("tile.laz?x=1"), text_);
  EXPECT_EQ(server_->requests(), 2U);
  EXPECT_THROW(get("other.laz"), Error);
}

TEST_F(SlowServerTest, NoByteComesBeforeItsTime) {
  start({.latency = 0.05, .bytes_per_second = 1e6}, 200'000);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(get("tile.laz"), text_);
  // A lower bound holds however loaded the machine is.
  EXPECT_GE(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), 0.25);
}

TEST_F(SlowServerTest, ItsWfsIsEmpty) {
  start({}, 1);
  EXPECT_NE(get("wfs?SERVICE=WFS&VERSION=2.0.0&REQUEST=GetCapabilities").find("</wfs:WFS_Capabilities>"), std::string::npos);
  EXPECT_NE(get("wfs?SERVICE=WFS&REQUEST=GetFeature").find("\"numberMatched\":0"), std::string::npos);
}

TEST_F(SlowServerTest, EndsWhileAnswering) {
  start({.latency = 0, .bytes_per_second = 1000}, 1'000'000);
  std::thread client([&] { EXPECT_THROW(get("tile.laz"), Error); });
  while (server_->requests() == 0) std::this_thread::yield();
  server_.reset();  // must not take the 1000 s that the body would
  client.join();
}

}  // namespace
}  // namespace tuile::bench
