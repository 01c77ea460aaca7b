#include "tuile/catalog/catalog.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "support/plain_las.hpp"
#include "support/temporary_folder.hpp"
#include "tuile/catalog/inputs.hpp"
#include "tuile/core/error.hpp"

namespace tuile::catalog {
namespace {

/// A tile that fills [x, x+size) × [y, y+size) metres, corner points only.
void tile(const std::string& path, int x, int y, int size = 100, int z = 10) {
  const int x0 = 100 * x, y0 = 100 * y, x1 = 100 * (x + size) - 1, y1 = 100 * (y + size) - 1;
  test::write_plain_las(path, {{x0, y0, z}, {x1, y0, z}, {x0, y1, z}, {x1, y1, z}});
}

Catalog catalog_of(const test::TemporaryFolder& folder, const CatalogOptions& options = {}) {
  return build_catalog(expand_inputs({folder.path().string()}), options);
}

std::set<std::string> neighbours_of(const Catalog& catalog, const std::string& name) {
  std::set<std::string> out;
  for (const TileJob& job : catalog.jobs) {
    if (catalog.tiles[job.tile].name != name) continue;
    for (const std::size_t n : job.neighbours) out.insert(catalog.tiles[n].name);
  }
  return out;
}

/// A grid of tiles named t<column><row>.
void grid(const test::TemporaryFolder& folder, int columns, int rows) {
  for (int i = 0; i < columns; ++i) {
    for (int j = 0; j < rows; ++j)
      tile(folder / ("t" + std::to_string(i) + std::to_string(j) + ".las"), 1000 + 100 * i, 5000 + 100 * j, 100, 100 * i + j);
  }
}

TEST(Catalog, NeighboursAreThoseWithinTheHalo) {
  const test::TemporaryFolder folder;
  grid(folder, 3, 3);
  tile(folder / "far.las", 1305, 5000);
  const Catalog catalog = catalog_of(folder);
  EXPECT_EQ(neighbours_of(catalog, "t11").size(), 8U);
  EXPECT_EQ(neighbours_of(catalog, "t00"), (std::set<std::string>{"t01", "t10", "t11"}));
  EXPECT_EQ(neighbours_of(catalog, "far"), (std::set<std::string>{"t20", "t21"})) << "5 m away: inside a halo of 10 m";
  EXPECT_EQ(neighbours_of(catalog_of(folder, {.halo = 4}), "far"), (std::set<std::string>{}));
  EXPECT_TRUE(neighbours_of(catalog_of(folder, {.halo = 0}), "t11").empty());
}

TEST(Catalog, TheOrderVisitsEachTileOnceAndStaysLocal) {
  const test::TemporaryFolder folder;
  grid(folder, 4, 4);
  const Catalog catalog = catalog_of(folder);
  ASSERT_EQ(catalog.jobs.size(), 16U);
  int steps = 0;
  for (std::size_t i = 1; i < 16; ++i) {
    const Bounds& a = catalog.tiles[catalog.jobs[i - 1].tile].bounds;
    const Bounds& b = catalog.tiles[catalog.jobs[i].tile].bounds;
    if (std::abs(a.min_x - b.min_x) + std::abs(a.min_y - b.min_y) < 150) ++steps;
  }
  EXPECT_EQ(steps, 15) << "on a square grid each tile is next to the one before";
}

TEST(Catalog, ShardsPartTheTilesAndKeepTheirNeighbours) {
  const test::TemporaryFolder folder;
  grid(folder, 3, 3);
  std::multiset<std::string> seen;
  for (std::size_t i = 0; i < 4; ++i) {
    const Catalog catalog = catalog_of(folder, {.shard = {i, 4}});
    for (const TileJob& job : catalog.jobs) {
      seen.insert(catalog.tiles[job.tile].name);
      EXPECT_GE(job.neighbours.size(), 3U);
    }
  }
  EXPECT_EQ(seen.size(), 9U);
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 9U);
  EXPECT_THROW(catalog_of(folder, {.shard = {4, 4}}), InvalidArgument);
}

TEST(Catalog, ParsesShards) {
  EXPECT_EQ(parse_shard("2/5").index, 2U);
  EXPECT_EQ(parse_shard("2/5").count, 5U);
  for (const char* bad : {"", "1", "5/5", "-1/3", "1/0", "1/2x", "a/b", "1/ 2"}) EXPECT_THROW(parse_shard(bad), ConfigError) << bad;
}

TEST(Catalog, CopiesAndOverlapsAreReported) {
  const test::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "copy");
  tile(folder / "a.las", 0, 0);
  tile(folder / "copy/b.las", 0, 0);
  tile(folder / "overlap.las", 50, 0);
  const Catalog catalog = catalog_of(folder);
  EXPECT_EQ(neighbours_of(catalog, "a"), (std::set<std::string>{"overlap"}));
  const auto mentions = [&](const std::string& word) {
    return std::count_if(catalog.notes.begin(), catalog.notes.end(),
                         [&](const std::string& note) { return note.find(word) != std::string::npos; });
  };
  EXPECT_EQ(mentions("copies"), 1);
  EXPECT_EQ(mentions("overlap on"), 2);
}

TEST(Catalog, BadFilesAreReportedOthersGoOn) {
  const test::TemporaryFolder folder;
  tile(folder / "good.las", 0, 0);
  folder.write("zero.laz", "");
  folder.write(
      "text.las",
      "this is not a LAS file, whatever its name says; it is long enough to hold a header of two hundred and twenty-seven bytes, "
      "so that the magic is what is wrong with it and not the length, and then some more words to be on the safe side of it all.....");
  std::filesystem::create_directories(folder / "folder.laz");
  const Catalog catalog = catalog_of(folder);
  ASSERT_EQ(catalog.jobs.size(), 1U);
  ASSERT_EQ(catalog.failed.size(), 3U);
  for (const FailedInput& failure : catalog.failed) EXPECT_NE(failure.message.find(failure.name), std::string::npos) << failure.message;
}

TEST(Catalog, OneOutputNameTwiceIsRefused) {
  const test::TemporaryFolder folder;
  tile(folder / "a.las", 0, 0);
  tile(folder / "a.laz", 0, 0);
  try {
    catalog_of(folder);
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("a.las"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("a.laz"), std::string::npos);
  }
}

TEST(Catalog, DegreesAreRefusedWithTheRemedy) {
  const test::TemporaryFolder folder;
  test::write_plain_las(folder / "degrees.las", {{23'000'000, 481'000'000, 0}, {23'000'900, 481'000'900, 10}}, 1e-7);
  const Catalog catalog = catalog_of(folder);
  ASSERT_EQ(catalog.failed.size(), 1U);
  EXPECT_EQ(catalog.failed[0].kind, ErrorKind::unsupported);
  EXPECT_NE(catalog.failed[0].message.find("reproject"), std::string::npos);
  EXPECT_EQ(catalog_of(folder, {.crs = 2154}).jobs.size(), 1U) << "crs: says that they are metres after all";
}

TEST(Catalog, TheNameServesWhereTheFileSaysNothing) {
  const test::TemporaryFolder folder;
  tile(folder / "Semis_2022_0906_6665_LA93_IGN69.las", 906000, 6664000);
  const Catalog catalog = catalog_of(folder);
  EXPECT_EQ(catalog.tiles[0].epsg, 2154);
  EXPECT_NE(catalog.tiles[0].warnings.back().find("its name"), std::string::npos);
}

TEST(Catalog, ABoxLimitsTheJobsNotTheNeighbours) {
  const test::TemporaryFolder folder;
  grid(folder, 3, 1);
  const Catalog catalog = catalog_of(folder, {.bbox = Bounds{1010, 5010, 1020, 5020}});
  ASSERT_EQ(catalog.jobs.size(), 1U);
  EXPECT_EQ(neighbours_of(catalog, "t00"), (std::set<std::string>{"t10"}));
}

}  // namespace
}  // namespace tuile::catalog
