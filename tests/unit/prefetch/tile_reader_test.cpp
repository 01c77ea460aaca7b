#include "tuile/prefetch/tile_reader.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <stop_token>
#include <thread>
#include <vector>

#include "support/fault_server.hpp"
#include "support/plain_las.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_data.hpp"
#include "tuile/core/error.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/source/byte_source.hpp"

namespace tuile::prefetch {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// 100 m × 100 m, a point every 2 m.
class TileReaderTest : public ::testing::Test {
 protected:
  TileReaderTest() : path(folder / "tile.las") {
    std::vector<test::PlainPoint> points;
    for (int x = 0; x <= 100; x += 2) {
      for (int y = 0; y <= 100; y += 2) points.push_back({100 * x, 100 * y, 10 * x, 2});
    }
    test::write_plain_las(path, points);
  }

  test::TemporaryFolder folder;
  std::string path;
  Executor executor{2};
  const Bounds east{90, -10, 110, 110};
  const Bounds north{-10, 90, 110, 110};
};

TEST_F(TileReaderTest, PartsAreCutFromTheWhole) {
  TileReader reader({}, executor);
  const Tile whole = reader.load({path, std::nullopt}, {});
  EXPECT_EQ(whole.points.size(), 51U * 51U);
  const Tile part = reader.load({path, east}, {});
  ASSERT_EQ(part.points.size(), 6U * 51U);
  for (std::size_t i = 0; i < part.points.size(); ++i) EXPECT_EQ(part.points.units[i], whole.points.units[part.points.rows[i]]);
}

TEST_F(TileReaderTest, ADecodedTileLeavesItsStrips) {
  TileReader reader({}, executor);
  reader.expect({path, east});
  reader.expect({path, north});
  reader.load({path, std::nullopt}, {});
  EXPECT_EQ(reader.load({path, east}, {}).points.size(), 6U * 51U);
  EXPECT_EQ(reader.load({path, north}, {}).points.size(), 51U * 6U);
  EXPECT_EQ(reader.statistics().full_decodes, 1U);
  EXPECT_EQ(reader.statistics().strips_reused, 2U);
  EXPECT_EQ(reader.statistics().points_decoded, 51U * 51U);
}

TEST_F(TileReaderTest, OneHaloThatDecodesServesTheOthersToo) {
  TileReader reader({}, executor);
  reader.expect({path, east});
  reader.expect({path, north});
  EXPECT_EQ(reader.load({path, east}, {}).points.size(), 6U * 51U);
  EXPECT_EQ(reader.load({path, north}, {}).points.size(), 51U * 6U);
  EXPECT_EQ(reader.statistics().full_decodes, 1U);
}

TEST_F(TileReaderTest, AHaloThatComesFirstLeavesTheBlockForTheAnnouncedLoad) {
  TileReader reader({}, executor);
  reader.expect({path, east});
  reader.expect({path, std::nullopt});
  EXPECT_EQ(reader.load({path, east}, {}).points.size(), 6U * 51U);
  EXPECT_EQ(reader.load({path, std::nullopt}, {}).points.size(), 51U * 51U);
  EXPECT_EQ(reader.statistics().full_decodes, 1U);
  EXPECT_EQ(reader.load({path, std::nullopt}, {}).points.size(), 51U * 51U);
  EXPECT_EQ(reader.statistics().full_decodes, 2U) << "the block is handed over once";
}

TEST_F(TileReaderTest, ForgottenStripsAreNotKept) {
  TileReader reader({}, executor);
  reader.expect({path, east});
  reader.forget({path, east});
  reader.load({path, std::nullopt}, {});
  reader.load({path, east}, {});
  EXPECT_EQ(reader.statistics().strips_reused, 0U);
}

TEST_F(TileReaderTest, TheStripBudgetIsKept) {
  TileReader measure({}, executor);
  const std::size_t strip = measure.load({path, east}, {}).points.bytes();
  TileReader reader({.fields = {}, .strip_budget = strip * 3 / 2}, executor);
  reader.expect({path, east});
  reader.expect({path, north});
  reader.load({path, std::nullopt}, {});
  EXPECT_EQ(reader.load({path, east}, {}).points.size(), 6U * 51U);
  EXPECT_EQ(reader.load({path, north}, {}).points.size(), 51U * 6U);
  EXPECT_EQ(reader.statistics().strips_reused, 1U) << "only the strip that was wanted first was kept";
  EXPECT_EQ(reader.statistics().full_decodes, 2U);
}

TEST_F(TileReaderTest, ManyThreadsDecodeOnce) {
  TileReader reader({}, executor);
  reader.expect({path, east});
  reader.expect({path, north});
  reader.expect({path, std::nullopt});
  std::atomic<std::size_t> points{0};
  {
    std::vector<std::jthread> threads;
    threads.emplace_back([&] { points += reader.load({path, std::nullopt}, {}).points.size(); });
    threads.emplace_back([&] { points += reader.load({path, east}, {}).points.size(); });
    threads.emplace_back([&] { points += reader.load({path, north}, {}).points.size(); });
  }
  EXPECT_EQ(points.load(), 51U * 51U + 2 * 6U * 51U);
  EXPECT_EQ(reader.statistics().full_decodes, 1U);
}

// Both miss the strip, both open the file, then one decodes and the other waits for what it leaves.
TEST_F(TileReaderTest, HalosThatOpenAFileTogetherDecodeItOnce) {
  std::vector<test::PlainPoint> dense;  // more than the 64 KiB that come with the first request
  for (int x = 0; x <= 100; ++x) {
    for (int y = 0; y <= 100; ++y) dense.push_back({100 * x, 100 * y, 10 * x, 2});
  }
  test::write_plain_las(path, dense);
  const std::string content = read_file(path);
  test::FaultServer server([&](const test::ServerRequest& request) { return test::file_answer(request, content, "\"v1\""); }, {},
                           {.latency = std::chrono::milliseconds(100)});
  TileReader reader({}, executor);
  const std::string url = server.url("/tile.las");
  reader.expect({url, east});
  reader.expect({url, north});
  std::atomic<std::size_t> points{0};
  {
    std::vector<std::jthread> threads;
    for (const Bounds& box : {east, north}) threads.emplace_back([&, box] { points += reader.load({url, box}, {}).points.size(); });
  }
  EXPECT_EQ(points.load(), 2 * 11U * 101U);
  EXPECT_EQ(reader.statistics().full_decodes, 1U);
  EXPECT_EQ(reader.statistics().strips_reused, 1U);
}

TEST_F(TileReaderTest, ErrorsNameTheFileAndLeaveNothingLocked) {
  TileReader reader({}, executor);
  folder.write("bad.laz", "LASF, or not");
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      reader.load({folder / "bad.laz", std::nullopt}, {});
      FAIL() << "no error";
    } catch (const CorruptData& error) {
      EXPECT_NE(std::string(error.what()).find("bad.laz"), std::string::npos);
    }
  }
  EXPECT_THROW(reader.load({folder / "absent.laz", east}, {}), NotFound);
}

TEST_F(TileReaderTest, StopIsObeyed) {
  TileReader reader({}, executor);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(reader.load({path, std::nullopt}, stop.get_token()), Cancelled);
}

TEST_F(TileReaderTest, AParkedBlockLeavesTheStripsOfItsOwnTurn) {
  TileReader reader({}, executor);
  reader.expect({path, east});
  reader.expect({path, std::nullopt});
  reader.expect({path, north});
  reader.load({path, east}, {});
  reader.load({path, std::nullopt}, {});
  EXPECT_EQ(reader.load({path, north}, {}).points.size(), 51U * 6U);
  EXPECT_EQ(reader.statistics().full_decodes, 1U);
  EXPECT_EQ(reader.statistics().strips_reused, 1U);
}

/// Decode amplification of a town whose tiles are loaded row by row, each with its eight neighbours' borders.
double amplification(std::size_t strip_budget, Executor& executor) {
  constexpr int side = 8;
  constexpr int tile_size = 2000;  // centimetres
  const test::TemporaryFolder town;
  const auto path_of = [&](int column, int row) { return town / (std::to_string(column) + "_" + std::to_string(row) + ".las"); };
  std::vector<test::PlainPoint> points;
  for (int row = 0; row < side; ++row) {
    for (int column = 0; column < side; ++column) {
      points.clear();
      for (int x = 50; x < tile_size; x += 100) {
        for (int y = 50; y < tile_size; y += 100) points.push_back({column * tile_size + x, row * tile_size + y, 0, 2});
      }
      test::write_plain_las(path_of(column, row), points);
    }
  }
  const auto visit = [&](auto&& whole, auto&& part) {
    for (int row = 0; row < side; ++row) {
      for (int column = 0; column < side; ++column) {
        whole(path_of(column, row));
        const double size = tile_size / 100.0;
        const Bounds reach = Bounds{column * size, row * size, (column + 1) * size, (row + 1) * size}.expanded(2);
        for (int dy = -1; dy <= 1; ++dy) {
          for (int dx = -1; dx <= 1; ++dx) {
            const int x = column + dx, y = row + dy;
            if ((dx != 0 || dy != 0) && x >= 0 && y >= 0 && x < side && y < side) part(path_of(x, y), reach);
          }
        }
      }
    }
  };
  TileReader reader({.fields = {}, .strip_budget = strip_budget}, executor);
  visit(
      [&](const std::string& path) {
        reader.expect({path, std::nullopt});
      },
      [&](const std::string& path, const Bounds& box) {
        reader.expect({path, box});
      });
  visit(
      [&](const std::string& path) {
        reader.load({path, std::nullopt}, {});
      },
      [&](const std::string& path, const Bounds& box) {
        reader.load({path, box}, {});
      });
  return static_cast<double>(reader.statistics().points_decoded) / static_cast<double>(side * side * points.size());
}

TEST_F(TileReaderTest, TilesAreDecodedAboutOnce) {
  constexpr std::size_t tile = 400 * 13;  // bytes of a tile's points
  EXPECT_LE(amplification(100 * tile, executor), 1.0) << "all that is left for later can be kept";
  EXPECT_LE(amplification(6 * tile, executor), 1.6);
  EXPECT_LE(amplification(4 * tile, executor), 1.8) << "the greater part of what is left does not fit";
}

TEST_F(TileReaderTest, WhatAServerSendsIsWhatTheFileHolds) {
  const std::string bytes = read_file(path);
  const test::FaultServer server([&](const test::ServerRequest& request) { return test::file_answer(request, bytes, "\"v1\""); });
  TileReader local({}, executor), remote({}, executor);
  const std::string url = server.url("/tile.las");
  for (const std::optional<Bounds>& box : {std::optional<Bounds>(), std::optional<Bounds>(east)}) {
    const Tile here = local.load({path, box}, {}), there = remote.load({url, box}, {});
    ASSERT_EQ(there.points.size(), here.points.size());
    EXPECT_TRUE(std::equal(here.points.units.begin(), here.points.units.end(), there.points.units.begin()));
  }
  EXPECT_EQ(remote.statistics().full_decodes, 2U);
  EXPECT_GE(remote.statistics().bytes_read, bytes.size());
  EXPECT_GT(remote.statistics().read_seconds, 0.0);
}

TEST_F(TileReaderTest, AnErrorOfAServerNamesTheUrlOnce) {
  const test::FaultServer server([](const test::ServerRequest&) { return test::ServerAnswer{.status = 404}; });
  TileReader reader({}, executor);
  const std::string url = server.url("/absent.laz");
  try {
    reader.load({url, std::nullopt}, {});
    FAIL() << "no error";
  } catch (const NotFound& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find(url), message.rfind(url)) << message;
    EXPECT_NE(message.find(url), std::string::npos) << message;
  }
}

TEST(TileReaderCopc, AServerIsAskedForTheNodesOfAHaloOnly) {
  const auto tile = test::test_data("copc_grid/tile_0_0.copc.laz");
  if (!tile) GTEST_SKIP() << "no real data here (TUILE_TEST_DATA)";
  const std::string bytes = read_file(tile->string());
  const test::FaultServer server([&](const test::ServerRequest& request) { return test::file_answer(request, bytes, "\"v1\""); });
  Executor executor(2);
  TileReader local({}, executor), remote({}, executor);
  const Bounds whole = las::read_info(*source::open_file(tile->string())).bounds();
  const Bounds band{whole.max_x - 5, whole.min_y, whole.max_x, whole.max_y};
  const Tile here = local.load({tile->string(), band}, {}), there = remote.load({server.url("/t.copc.laz"), band}, {});
  ASSERT_EQ(there.points.size(), here.points.size());
  EXPECT_GT(here.points.size(), 0U);
  EXPECT_TRUE(std::equal(here.points.rows.begin(), here.points.rows.end(), there.points.rows.begin()));
  EXPECT_TRUE(std::equal(here.points.units.begin(), here.points.units.end(), there.points.units.begin()));
  EXPECT_EQ(remote.statistics().partial_decodes, 1U);
  EXPECT_LT(remote.statistics().bytes_read, bytes.size() / 2);
  EXPECT_LT(server.request_count(), 40U) << "nodes that lie close together come with one request";
}

/// Tiles that can be kept are decoded once; those that cannot, by their nodes.
TEST(TileReaderCopc, ATileThatComesSoonIsDecodedWholeWhereThereIsRoom) {
  const auto tile = test::test_data("copc_grid/tile_0_0.copc.laz");
  if (!tile) GTEST_SKIP() << "no real data here (TUILE_TEST_DATA)";
  Executor executor(2);
  const Bounds whole = las::read_info(*source::open_file(tile->string())).bounds();
  const Bounds band{whole.max_x - 5, whole.min_y, whole.max_x, whole.max_y};
  for (const bool room : {true, false}) {
    TileReader reader({.fields = {}, .strip_budget = std::size_t{room ? 64U : 16U} << 20}, executor);
    reader.expect({tile->string(), band});
    reader.expect({tile->string(), std::nullopt});
    reader.load({tile->string(), band}, {});
    reader.load({tile->string(), std::nullopt}, {});
    EXPECT_EQ(reader.statistics().full_decodes, 1U);
    EXPECT_EQ(reader.statistics().partial_decodes, room ? 0U : 1U);
  }
}

TEST(TileReaderCopc, AHaloReadsTheNodesThatTouchItOnly) {
  const auto tiles = test::test_data("copc_grid");
  if (!tiles) GTEST_SKIP() << "no real data here (TUILE_TEST_DATA)";
  std::string path;
  for (const auto& entry : std::filesystem::directory_iterator(*tiles)) path = entry.path().string();
  Executor executor(2);
  TileReader reader({}, executor);
  const Tile whole = reader.load({path, std::nullopt}, {});
  const GridBounds extent = whole.points.extent();
  const double scale = whole.points.grid.scale;
  const double x = static_cast<double>(extent.max_x) * scale, low = static_cast<double>(extent.min_y) * scale,
               high = static_cast<double>(extent.max_y) * scale;
  const Bounds band{x - 10, low, x + 10, high};

  const Tile part = reader.load({path, band}, {});
  EXPECT_EQ(reader.statistics().partial_decodes, 1U);
  EXPECT_LT(reader.statistics().points_decoded, whole.points.size() * 3 / 2);
  std::size_t at = 0;
  for (std::size_t i = 0; i < whole.points.size(); ++i) {
    const GridPoint& p = whole.points.units[i];
    if (!band.contains(static_cast<double>(whole.points.grid.origin[0] + p.x) * scale,
                       static_cast<double>(whole.points.grid.origin[1] + p.y) * scale))
      continue;
    ASSERT_LT(at, part.points.size());
    ASSERT_EQ(part.points.rows[at], i);
    ASSERT_EQ(part.points.units[at], p);
    ++at;
  }
  EXPECT_EQ(at, part.points.size());
}

}  // namespace
}  // namespace tuile::prefetch
