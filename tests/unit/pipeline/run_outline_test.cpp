#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "town.hpp"
#include "tuile/config/load.hpp"
#include "tuile/pipeline/lidar_processor.hpp"

namespace tuile::pipeline {
namespace {

const Town& town() {
  static const Town made({.tiles_x = 3, .tiles_y = 2, .size = 60, .density = 12, .seed = 5, .ground_truth = true});
  return made;
}

ProcessOptions options_for(const std::string& output, std::vector<std::string> settings) {
  ProcessOptions options;
  settings.emplace_back("backend=cpu");
  options.config = config::load_config({.set = settings});
  options.config.input = town().paths;
  options.config.output = output;
  return options;
}

TEST(RunOutline, ADryRunPlansTheMemoryOfTheRunToTheByte) {
  const std::string truth = "ground_truth.source=" + (town().folder / "bdtopo.gpkg");
  const std::string images = "imagery.source=[" + (town().folder / "ortho_rgb.tif") + ", " + (town().folder / "ortho_irc.tif") + "]";
  const std::vector<std::vector<std::string>> ways{
      {},
      {"write.formats=[npz, laz]"},
      {truth},
      {images},
      {images, "write.formats=[npz, laz]"},
      {images, "write.formats=[laz]", truth, "features.set=minimal"},
      {images, "write.formats=[npz, laz]", truth, "prefetch.workers=0"},
  };
  for (const std::vector<std::string>& way : ways) {
    for (const std::string budget : {"64MiB", "96MiB", "4GiB"}) {
      const test::TemporaryFolder output;
      std::vector<std::string> settings = way;
      settings.push_back("memory.budget=" + budget);
      const ProcessOptions options = options_for(output.path().string(), settings);
      const PlanSummary planned = LidarProcessor(options).plan();
      const RunSummary run = LidarProcessor(options).process();
      ASSERT_TRUE(run.failed.empty()) << run.failed.front().message;
      EXPECT_EQ(planned.memory_needed, run.memory_needed) << budget << ", " << testing::PrintToString(way);
      EXPECT_EQ(planned.memory_budget, run.memory_budget);
      EXPECT_GT(run.memory_needed, 0U);
    }
  }
}

/// Whatever a plan leaves out of what the run takes is seen here: images alone cost the plan of a run that writes LAZ.
TEST(RunOutline, ImagesAndTheirColoursArePartOfThePlan) {
  const test::TemporaryFolder output;
  const std::string images = "imagery.source=[" + (town().folder / "ortho_rgb.tif") + ", " + (town().folder / "ortho_irc.tif") + "]";
  const auto needed = [&](std::vector<std::string> settings) {
    settings.emplace_back("memory.budget=4GiB");
    settings.emplace_back("features.set=[planarity]");
    return LidarProcessor(options_for(output.path().string(), settings)).plan().memory_needed;
  };
  const std::uint64_t plain = needed({"write.formats=[npz]"});
  const std::uint64_t with_images = needed({"write.formats=[npz]", images});
  const std::uint64_t repeated = needed({"write.formats=[laz]", images});
  EXPECT_LT(plain, with_images);
  EXPECT_LT(with_images, repeated);  // LAZ takes all colours, though no column wants them
}

TEST(RunOutline, JobsAreThePlansTiles) {
  const test::TemporaryFolder output;
  const ProcessOptions options = options_for(output.path().string(), {});
  const PlanSummary planned = LidarProcessor(options).plan();
  const JobList list = LidarProcessor(options).jobs();
  ASSERT_EQ(list.jobs.size(), planned.tiles.size());
  for (std::size_t j = 0; j < list.jobs.size(); ++j) {
    EXPECT_EQ(list.jobs[j].tile.path, planned.tiles[j].path);
    EXPECT_EQ(list.jobs[j].neighbours.size(), planned.tiles[j].neighbours.size());
  }
}

}  // namespace
}  // namespace tuile::pipeline
