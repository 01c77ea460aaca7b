#include "results.hpp"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "alternate.hpp"
#include "support/temporary_folder.hpp"

namespace tuile::bench {
namespace {

Outcome outcome() {
  Outcome made;
  made.rows.push_back(speed_row("features.lod2_k20", 10, "M points/s", {{2.0, 2.5}}, "a peer", {{8.0, 11.0}}, 4));
  made.rows.push_back(cost_row("growth.memory", {100.0 / 3}, "MB", "ten", {30}, std::nullopt));
  made.left_out.push_back({"copc", "cannot open '/home/somebody/tile.copc.laz' of http://example.org/a/b: 3/4 read"});
  return made;
}

ResultsHead head() {
  return {
      "1.2.3", "abc", "2026-01-31T12:00:00Z", {"Some CPU (R) @ 2.4GHz", 2, 1U << 30, "Linux 6.1", "cpu, AVX2, 2 threads"}, Sizes::full()};
}

TEST(Results, HoldEveryRowAsTheInterfaceSays) {
  const auto json = nlohmann::json::parse(results_json(head(), outcome()));
  EXPECT_EQ(json["tuile"], "1.2.3");
  EXPECT_EQ(json["commit"], "abc");
  EXPECT_EQ(json["machine"]["cores"], 2);
  EXPECT_EQ(json["sizes"]["tiles"], 20);
  ASSERT_EQ(json["rows"].size(), 2U);
  const auto& row = json["rows"][0];
  EXPECT_EQ(row["name"], "features.lod2_k20");
  EXPECT_EQ(row["better"], "higher");
  EXPECT_EQ(row["target"], 4.0);
  EXPECT_EQ(row["met"], true);
  EXPECT_EQ(row["runs"], 2);
  EXPECT_NEAR(row["ratio"].get<double>(), 9.5 / 2.25, 1e-4);
  EXPECT_EQ(row["spread"], (std::vector<double>{4.0, 4.4}));
  const auto& other = json["rows"][1];
  EXPECT_TRUE(other["target"].is_null() && other["met"].is_null() && other["spread"].is_null());
  EXPECT_EQ(other["value"], 33.3333);  // six digits
  EXPECT_EQ(other["better"], "lower");
}

TEST(Results, NameNoFolders) {
  const auto json = nlohmann::json::parse(results_json(head(), outcome()));
  EXPECT_EQ(json["left_out"][0]["reason"], "cannot open 'tile.copc.laz' of http://example.org/a/b: 3/4 read");
}

TEST(Results, WhatIsNoNumberIsNull) {
  Outcome made = outcome();
  made.rows[0].ratio = std::nan("");
  EXPECT_TRUE(nlohmann::json::parse(rows_json(made))["rows"][0]["ratio"].is_null());
}

TEST(Results, AreFiledByDayAndMachine) {
  const test::TemporaryFolder folder;
  const auto path = write_results(folder.path() / "new", head(), outcome());
  EXPECT_EQ(path.filename(), "2026-01-31-some-cpu-r-2-4ghz-2-cores.json");
  std::ifstream file(path);
  EXPECT_EQ(nlohmann::json::parse(file)["rows"].size(), 2U);
}

TEST(Machine, ModelOfAProcessor) {
  EXPECT_EQ(processor_model("processor\t: 0\nmodel name\t: AMD EPYC 7763 \ncores: 2\n"), "AMD EPYC 7763");
  EXPECT_EQ(processor_model("processor\t: 0\nBogoMIPS\t: 50\n"), "unknown");
  EXPECT_EQ(processor_model("model name\t:\n"), "unknown");
}

}  // namespace
}  // namespace tuile::bench
