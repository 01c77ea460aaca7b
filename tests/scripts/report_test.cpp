#include "bench/gpu/report.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace tuile::gpu_check {
namespace {

Report example() {
  Report report;
  report.version = "1.2.3";
  report.commit = "abc";
  report.card.name = "NVIDIA \"H100\" 80GB HBM3";
  report.host = "a\\b\nc";
  report.conformance = {{"a", true, ""}, {"b", true, ""}};
  report.sanitizers = {{"memcheck", true, ""}};
  report.rows = {{"time", 12.5, "ms", 20.0, false, 7}, {"busy", 0.5, "", 0.95, true, 20}, {"none", NAN, "GB/s"}};
  report.left_out = {{"end to end", "no binary"}};
  return report;
}

TEST(GpuCheckReport, IsJson) {
  const nlohmann::json json = nlohmann::json::parse(json_of(example()));
  EXPECT_EQ(json["device"], "NVIDIA \"H100\" 80GB HBM3");
  EXPECT_EQ(json["host"], "a\\b c");
  EXPECT_EQ(json["conformance"].size(), 2U);
  EXPECT_EQ(json["rows"][0]["value"], 12.5);
  EXPECT_EQ(json["rows"][0]["met"], true);
  EXPECT_EQ(json["rows"][1]["met"], false);
  EXPECT_TRUE(json["rows"][2]["value"].is_null());
  EXPECT_TRUE(json["rows"][2]["target"].is_null());
  EXPECT_EQ(json["left_out"][0]["reason"], "no binary");
  EXPECT_EQ(nlohmann::json::parse(json_of(Report{}))["rows"].size(), 0U);
}

TEST(GpuCheckReport, FailsWithACheckAndNotWithATarget) {
  Report report = example();
  EXPECT_TRUE(report.passed());
  EXPECT_NE(text_of(report).find("MISSED"), std::string::npos);
  EXPECT_EQ(text_of(report).find("FAILED"), std::string::npos);
  report.sanitizers[0] = {"racecheck", false, "a hazard"};
  EXPECT_FALSE(report.passed());
  EXPECT_NE(text_of(report).find("FAILED racecheck: a hazard"), std::string::npos);
  report = example();
  report.conformance[1].passed = false;
  EXPECT_FALSE(report.passed());
}

TEST(GpuCheckReport, FileOfTheCard) {
  EXPECT_EQ(file_name({.name = "NVIDIA H100 80GB HBM3"}), "gpu-nvidia-h100-80gb-hbm3.json");
  EXPECT_EQ(file_name({.name = "Tesla (T4) "}), "gpu-tesla-t4.json");
}

TEST(GpuCheckReport, Median) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(median({}), 0);
}

}  // namespace
}  // namespace tuile::gpu_check
