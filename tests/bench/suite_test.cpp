#include "suite.hpp"

#include <set>

#include "bench.hpp"
#include "slow_services.hpp"

namespace tuile::bench {
namespace {

TEST(Suite, EveryChoiceChoosesSomething) {
  for (const std::string& choice : choices()) {
    std::size_t count = 0;
    for (const Measurement& measurement : measurements()) count += chosen(measurement, choice) ? 1 : 0;
    EXPECT_GT(count, 0U) << choice;
    if (choice == "all") {
      EXPECT_EQ(count, measurements().size());
    }
  }
}

/// The smallest sizes at which everything runs; what is measured is meaningless, what is said is not.
WorkloadOptions tiny() {
  WorkloadOptions options;
  options.sizes = {.runs = 1, .pipeline_runs = 1, .tiles = 2, .points = 0.02, .small = 0.002, .large = 0.02};
  options.threads = 2;
  return options;
}

TEST(Suite, ShowsEveryRowOfAMeasurement) {
  Workload workload(tiny());
  std::vector<std::string> shown;
  const Outcome outcome = run_suite(workload, "features", [&](const Row& row) { shown.push_back(row.name); });
  EXPECT_FALSE(outcome.failed);
  const std::set<std::string> names(shown.begin(), shown.end());
  EXPECT_EQ(names.size(), shown.size());
  EXPECT_TRUE(names.contains("features.lod2_k20") && names.contains("features.full_k20") && names.contains("features.lod2_radius_1m"));
  for (const Row& row : outcome.rows) EXPECT_GT(row.ratio, 0) << row.name;
}

TEST(Suite, WhatTheMachineLacksIsNoFailure) {
  Workload workload(tiny());
  const Outcome outcome = run_suite(workload, "copc", [](const Row&) {});
  EXPECT_FALSE(outcome.failed);
  ASSERT_EQ(outcome.left_out.size(), 1U);
  EXPECT_NE(outcome.left_out[0].reason.find("--copc"), std::string::npos);
}

TEST(Suite, AFailureIsSaidAndTheOthersGoOn) {
  WorkloadOptions options = tiny();
  options.tiles = {"no such tile.laz"};
  Workload workload(options);
  const Outcome outcome = run_suite(workload, "pipeline", [](const Row&) {});
  EXPECT_TRUE(outcome.failed);
  bool has_prefetch = false;
  for (const Row& row : outcome.rows) has_prefetch |= row.name == "prefetch.call_p999";
  EXPECT_TRUE(has_prefetch);
  for (const LeftOut& what : outcome.left_out) {
    EXPECT_NE(what.reason.find("no such tile.laz"), std::string::npos) << what.what << ": " << what.reason;
  }
}

TEST(Bounds, TheFirstTileCannotBeHidden) {
  pipeline::RunSummary run;
  run.loader.io_seconds = 10;
  run.times.first_arrival = 2;
  run.times.load_wait = 2;
  EXPECT_DOUBLE_EQ(hidden_after_first(run), 0.75);
  run.times.load_wait = 100;
  EXPECT_EQ(hidden_after_first(run), 0);
  run.times.first_arrival = 11;
  EXPECT_EQ(hidden_after_first(run), 1);
}

TEST(Bounds, WaitingOrComputingWhicheverIsLonger) {
  pipeline::RunSummary run;
  run.cpu_seconds = 20;
  run.threads = 2;
  EXPECT_DOUBLE_EQ(best_wall(run, 12, 2, 1.5), 11.5);
  EXPECT_DOUBLE_EQ(best_wall(run, 60, 3, 1.5), 21.5);
}

TEST(SlowServices, GroundTruthComesFromTheSlowServer) {
  Workload workload(tiny());
  const SlowServer server({});
  const pipeline::RunSummary run = run_pipeline(workload, workload.tiles(), workload.fresh_folder("out"), use_wfs(server));
  EXPECT_EQ(run.truth.labelled, run.tiles_done);
  EXPECT_EQ(run.truth.http.failures, 0U);
  EXPECT_GT(server.requests(), 9U);
}

}  // namespace
}  // namespace tuile::bench
