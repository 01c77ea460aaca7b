#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "support/temporary_folder.hpp"
#include "support/test_data.hpp"
#include "synthetic_layer.hpp"
#include "truth/wfs_capabilities.hpp"

namespace tuile::test {
namespace {

std::string capabilities(const std::string& abstract, const std::string& service = "Service WFS") {
  return R"(<?xml version="1.0" encoding="UTF-8"?><wfs:WFS_Capabilities xmlns:wfs="http://www.opengis.net/wfs/2.0" version="2.0.0">)"
         "<ows:ServiceIdentification><ows:Title>" +
         service +
         "</ows:Title><ows:Abstract/></ows:ServiceIdentification><FeatureTypeList><FeatureType><Name>OTHER:x</Name><Title>V9 "
         "2001-01-01</Title></FeatureType><FeatureType xmlns:TEST=\"t\"><Name>TEST:batiment</Name><Title>Bâtiments</Title><Abstract>" +
         abstract + "</Abstract></FeatureType></FeatureTypeList></wfs:WFS_Capabilities>";
}

std::string edition(const std::string& abstract) { return truth::edition_in_capabilities(capabilities(abstract), "TEST:"); }

TEST(Capabilities, EditionsAsTheyAreWritten) {
  EXPECT_EQ(edition("BD TOPO® V3 2026-06-15"), "V3 2026-06-15");
  EXPECT_EQ(edition("<![CDATA[ BD TOPO V3 (2026-06-15) ]]>"), "V3 2026-06-15");
  EXPECT_EQ(edition("Édition 2026-06-15."), "Édition 2026-06-15");
  EXPECT_EQ(edition("B&#226;timents, &#201;dition du 2026-06-15"), "Édition 2026-06-15");
  EXPECT_EQ(edition("V3.5\n   2026-06-15"), "V3.5 2026-06-15");
  EXPECT_EQ(edition("Bâtiments"), "");
  EXPECT_EQ(edition("mis à jour le 2026-06-15"), "");
  EXPECT_EQ(edition("V3 12026-06-15, V3 2026-06-150, AV3 2026-06-15"), "");
  EXPECT_EQ(truth::edition_in_capabilities(capabilities("Bâtiments", "WFS, édition 2025-01-02"), "TEST:"), "édition 2025-01-02");
  EXPECT_EQ(truth::edition_in_capabilities(capabilities("a"), "OTHER:"), "V9 2001-01-01");
}

TEST(Capabilities, RecordedOnesAreRead) {
  const auto path = test_data("wfs/happign__data.geopf.fr_ows-866ab9.xml");
  if (!path) GTEST_SKIP() << "no test data on this machine";
  std::ifstream file(*path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_TRUE(truth::is_capabilities(text));
  EXPECT_EQ(truth::edition_in_capabilities(text, "BDTOPO_V3:"), "");  // it names none for that product
  // The same with an edition in one abstract.
  const std::string abstract = "<Name>BDTOPO_V3:batiment</Name>";
  const std::size_t at = text.find(abstract);
  ASSERT_NE(at, text.npos);
  text.insert(at + abstract.size(), "<Abstract>BD TOPO® V3 2026-06-15</Abstract>");
  EXPECT_EQ(truth::edition_in_capabilities(text, "BDTOPO_V3:"), "V3 2026-06-15");
  EXPECT_FALSE(truth::is_capabilities(text.substr(0, text.size() / 2)));
}

TEST(Capabilities, AskedOnceForManyThreadsAndSources) {
  FaultServer server([](const ServerRequest&) { return ServerAnswer{.content_type = "text/xml", .body = capabilities("V3 2026-06-15")}; });
  const auto one = truth::make_wfs(options_for(server, 100), quick_client()),
             other = truth::make_wfs(options_for(server, 100), quick_client());
  std::vector<std::string> editions(8);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < editions.size(); ++i)
      threads.emplace_back([&, i] { editions[i] = (i % 2 == 0 ? one : other)->edition({}); });
  }
  EXPECT_EQ(editions, std::vector<std::string>(8, "V3 2026-06-15"));
  EXPECT_EQ(server.request_count(), 1u);
}

TEST(Capabilities, ServicesThatFailGiveNone) {
  for (const Fault fault :
       {Fault::error_500, Fault::html_page, Fault::empty, Fault::exception_report, Fault::truncated, Fault::not_found, Fault::gone}) {
    FaultServer server([](const ServerRequest&) { return ServerAnswer{.body = capabilities("V3 2026-06-15")}; },
                       [&](const ServerRequest&) { return fault; });
    const auto source = truth::make_wfs(options_for(server, 100), quick_client(1));
    EXPECT_EQ(source->edition({}), "") << to_string(fault);
    const std::uint64_t asked = server.request_count();
    EXPECT_EQ(source->edition({}), "");
    EXPECT_EQ(server.request_count(), asked);
  }
}

TEST(Capabilities, KeptForADayAndLongerWhereTheServiceFails) {
  const TemporaryFolder folder;
  std::atomic<bool> works{true};
  FaultServer server(
      [](const ServerRequest& request) { return ServerAnswer{.body = capabilities("V3 2026-06-1" + std::to_string(request.number))}; },
      [&](const ServerRequest&) { return works ? Fault::none : Fault::error_500; });
  const auto client = quick_client(1);
  const auto ask = [&] {
    return truth::edition_in_capabilities(truth::fetch_capabilities(*client, server.url("/wfs"), folder.path().string(), {}), "TEST:");
  };
  EXPECT_EQ(ask(), "V3 2026-06-10");
  EXPECT_EQ(ask(), "V3 2026-06-10");  // kept
  EXPECT_EQ(server.request_count(), 1u);
  const auto files = std::filesystem::directory_iterator(folder.path());
  const std::filesystem::path kept = files->path();
  std::filesystem::last_write_time(kept, std::filesystem::file_time_type::clock::now() - std::chrono::hours(25));
  EXPECT_EQ(ask(), "V3 2026-06-11");  // too old
  works = false;
  std::filesystem::last_write_time(kept, std::filesystem::file_time_type::clock::now() - std::chrono::hours(2500));
  EXPECT_EQ(ask(), "V3 2026-06-11");  // old, but all there is
  works = true;
  std::filesystem::resize_file(kept, 300);
  EXPECT_NE(ask(), "V3 2026-06-11");  // damaged: asked anew
}

TEST(Capabilities, AFolderThatCannotBeWrittenCostsNothing) {
  const TemporaryFolder folder;
  folder.write("file", "in the way");
  FaultServer server([](const ServerRequest&) { return ServerAnswer{.body = capabilities("V3 2026-06-15")}; });
  EXPECT_NE(truth::fetch_capabilities(*quick_client(), server.url("/wfs"), folder / "file/sub", {}), "");
}

TEST(Capabilities, AStopEndsTheWait) {
  FaultServer server([](const ServerRequest&) { return ServerAnswer{}; }, [](const ServerRequest&) { return Fault::silence; });
  const auto source = truth::make_wfs(options_for(server, 100), quick_client(4, 1000000, 600));
  std::stop_source stop;
  std::vector<int> thrown(2);
  {
    std::vector<std::jthread> threads;
    for (int& one : thrown) {
      threads.emplace_back([&] {
        try {
          source->edition(stop.get_token());
        } catch (const Cancelled&) {
          one = 1;
        }
      });
    }
    while (server.request_count() < 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    stop.request_stop();
  }
  EXPECT_EQ(thrown, (std::vector<int>{1, 1}));
}

}  // namespace
}  // namespace tuile::test
