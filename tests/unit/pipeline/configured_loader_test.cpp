#include "tuile/pipeline/configured_loader.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "tuile/config/load.hpp"
#include "tuile/core/error.hpp"
#include "tuile/las/decode.hpp"
#include "tuile/source/byte_source.hpp"
#include "tuile/synth/town.hpp"

namespace tuile::pipeline {
namespace {

/// Two adjoining tiles with their ground truth.
class Town {
 public:
  Town() {
    Executor executor(2);
    synth::TownOptions options{.tiles_x = 2, .tiles_y = 1, .size = 60, .density = 6, .seed = 5};
    options.ground_truth = true;
    paths = synth::write_town(options, folder_.path().string(), executor);
    truth = synth::town_paths(options, folder_.path().string()).ground_truth;
  }
  ConfiguredLoaderOptions options(std::vector<std::string> set = {}, int workers = 2) const {
    return {.config = config::load_config({.set = std::move(set)}), .num_workers = workers};
  }
  ConfiguredLoaderOptions with_truth(int workers = 2) const { return options({"ground_truth.source=" + truth}, workers); }

  std::vector<std::string> paths;
  std::string truth;

 private:
  test::TemporaryFolder folder_;
};

const Town& town() {
  static const Town made;
  return made;
}

PointBlock decoded(const std::string& path) {
  const auto source = source::open_file(path);
  const las::FileInfo info = las::read_info(*source);
  Executor executor(1);
  return las::decode(source::read_all(*source).span(), info, {.fields = {0xF}}, executor).points;
}

TEST(ConfiguredLoader, PointsPlaceAndTruth) {
  for (const int workers : {0, 2}) {
    ConfiguredLoader loading(town().with_truth(workers));
    EXPECT_TRUE(loading.has_ground_truth());
    ASSERT_NE(loading.label_plan(), nullptr);
    loading.preload(town().paths[0]);
    const LoadedTile loaded = loading.get(town().paths[0]);
    const PointBlock expected = decoded(town().paths[0]);
    ASSERT_EQ(loaded.tile->points.size(), expected.size());
    EXPECT_TRUE(std::equal(expected.units.begin(), expected.units.end(), loaded.tile->points.units.begin()));
    EXPECT_EQ(loaded.epsg, 2154);
    EXPECT_EQ(loaded.bounds, las::read_info(*source::open_file(town().paths[0])).bounds());
    ASSERT_NE(loaded.truth, nullptr);
    EXPECT_TRUE(loaded.truth->complete());
    EXPECT_EQ(loaded.truth_failure, "");
    EXPECT_EQ(loading.statistics().wfs_fetches, 1U);
    EXPECT_EQ(loading.statistics().wfs_failures, 0U);
  }
}

TEST(ConfiguredLoader, TruthOnlyForThoseWhoAsk) {
  ConfiguredLoader loading(town().with_truth());
  loading.preload(town().paths[0], std::nullopt, false);
  EXPECT_EQ(loading.get(town().paths[0], std::nullopt, std::nullopt, false).truth, nullptr);
  EXPECT_EQ(loading.statistics().wfs_fetches, 0U);
  const LoadedTile late = loading.get(town().paths[0]);  // it begins now
  ASSERT_NE(late.truth, nullptr);
  EXPECT_EQ(loading.statistics().wfs_fetches, 1U);
  EXPECT_EQ(loading.statistics().loader.tiles_loaded, 1U);
  loading.get(town().paths[0]);
  EXPECT_EQ(loading.statistics().wfs_fetches, 1U) << "counted per tile, not per request";
}

TEST(ConfiguredLoader, WithoutASource) {
  ConfiguredLoader loading(town().options());
  EXPECT_FALSE(loading.has_ground_truth());
  EXPECT_EQ(loading.label_plan(), nullptr);
  const LoadedTile loaded = loading.get(town().paths[0]);
  EXPECT_EQ(loaded.truth, nullptr);
  EXPECT_EQ(loaded.truth_failure, "");
}

TEST(ConfiguredLoader, AServiceThatFailsCostsTheTruthOnly) {
  ConfiguredLoader loading(town().options({"ground_truth.source=wfs", "ground_truth.wfs.url=http://127.0.0.1:9/",
                                           "ground_truth.wfs.retries=0", "ground_truth.cache.disk=null"}));
  const LoadedTile loaded = loading.get(town().paths[0]);
  EXPECT_GT(loaded.tile->points.size(), 0U);
  EXPECT_EQ(loaded.truth, nullptr);
  EXPECT_NE(loaded.truth_failure.find("failed"), std::string::npos) << loaded.truth_failure;
  EXPECT_EQ(loading.statistics().wfs_fetches, 0U);
  EXPECT_EQ(loading.statistics().wfs_failures, 1U);
}

TEST(ConfiguredLoader, APartHasTheTruthOfThePart) {
  ConfiguredLoader loading(town().with_truth());
  const Bounds whole = loading.get(town().paths[0]).bounds;
  const Bounds box{whole.min_x, whole.min_y, whole.min_x + 20, whole.min_y + 20};
  const LoadedTile part = loading.get(town().paths[0], std::nullopt, box);
  EXPECT_EQ(part.bounds, box);
  ASSERT_NE(part.truth, nullptr);
  for (const LayerTruth& layer : part.truth->layers) {
    for (const Bounds& area : layer.areas.bounds) EXPECT_TRUE(area.intersects(box)) << layer.layer;
  }
}

TEST(ConfiguredLoader, ErrorsAreTheTiles) {
  const test::TemporaryFolder folder;
  ConfiguredLoader loading(town().with_truth());
  const std::string gone = (folder.path() / "gone.laz").string();
  EXPECT_THROW(loading.get(gone), NotFound);
  std::filesystem::copy_file(town().paths[1], gone);
  EXPECT_GT(loading.get(gone).tile->points.size(), 0U);
}

TEST(ConfiguredLoader, AFileThatIsAnotherOneByNow) {
  const test::TemporaryFolder folder;
  ConfiguredLoader loading(town().with_truth());
  const std::string path = (folder.path() / "tile.laz").string();
  std::filesystem::copy_file(town().paths[0], path);
  const Bounds before = loading.get(path).bounds;
  std::filesystem::copy_file(town().paths[1], folder.path() / "other.laz");
  std::filesystem::rename(folder.path() / "other.laz", path);
  loading.loader().clear_cache();
  const LoadedTile after = loading.get(path);
  EXPECT_EQ(after.bounds, las::read_info(*source::open_file(town().paths[1])).bounds());
  EXPECT_NE(after.bounds, before);
  EXPECT_EQ(after.tile->points.size(), decoded(town().paths[1]).size());
}

TEST(ConfiguredLoader, TheStatisticsBlock) {
  ConfiguredLoader loading(town().with_truth());
  loading.get(town().paths[0]);
  const std::string text = loading.statistics().text();
  EXPECT_NE(text.find("misses=1)\n   WFS Fetches: 1\n   Avg I/O Time: "), std::string::npos) << text;
}

TEST(ConfiguredLoader, AfterShutdown) {
  ConfiguredLoader loading(town().with_truth());
  loading.shutdown();
  EXPECT_THROW(loading.get(town().paths[0]), Cancelled);
  EXPECT_THROW(loading.preload(town().paths[0]), Cancelled);
}

}  // namespace
}  // namespace tuile::pipeline
