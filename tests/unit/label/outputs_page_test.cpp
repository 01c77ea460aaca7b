// The tables of docs/outputs.md that the code knows. TUILE_UPDATE_DOCS=1 (`make docs`) writes them anew.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "support/committed_page.hpp"
#include "tuile/config/config.hpp"
#include "tuile/core/asprs_classes.hpp"
#include "tuile/core/ground_truth.hpp"

namespace tuile {
namespace {

std::string class_table() {
  std::string text = "| code | class |\n| --- | --- |\n";
  for (const AsprsClass& one : asprs_classes()) text += "| " + std::to_string(one.code) + " | " + std::string(one.name) + " |\n";
  return text;
}

std::string source_table() {
  std::string text =
      "| label_source | from | classes |\n| --- | --- | --- |\n| 0 | the file: no layer knows of the point | as in the file |\n";
  int row = 0;
  for (const config::TruthLayer& layer : config::default_layers()) {
    std::string classes;
    for (const config::LabelRule& rule : layer.rules) classes += (classes.empty() ? "" : ", ") + std::to_string(rule.asprs_class);
    text += "| " + std::to_string(++row) + " | `" + layer.layer + "` | " + classes + " |\n";
  }
  return text + "| 254 | NDVI: a green, rough building is vegetation | 3, 4, 5 |\n";
}

std::string meaning_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::data: return "everything in the box was fetched, and there is something";
    case Outcome::confirmed_empty: return "the source says that there is nothing in the box";
    case Outcome::truncated: return "the source holds more than it gives";
    case Outcome::failed: return "no answer, or the box lies outside of what the source covers";
    case Outcome::not_requested: return "nobody asked for it";
  }
  return {};
}

std::string outcome_table() {
  std::string text = "| outcome | means | labels may be made of it |\n| --- | --- | --- |\n";
  for (const Outcome outcome : {Outcome::data, Outcome::confirmed_empty, Outcome::truncated, Outcome::failed, Outcome::not_requested})
    text += "| " + std::string(to_string(outcome)) + " | " + meaning_of(outcome) + " | " + (is_sound(outcome) ? "yes" : "no") + " |\n";
  return text;
}

TEST(OutputsPage, ItsTablesAreTheLibrarys) {
  test::expect_committed_part("outputs.md", "classes", class_table());
  test::expect_committed_part("outputs.md", "label sources", source_table());
  test::expect_committed_part("outputs.md", "outcomes", outcome_table());
}

TEST(OutputsPage, EveryClassOfTheDefaultLayersHasAName) {
  std::set<int> named;
  for (const AsprsClass& one : asprs_classes()) EXPECT_TRUE(named.insert(one.code).second) << int{one.code};
  for (const config::TruthLayer& layer : config::default_layers()) {
    for (const config::LabelRule& rule : layer.rules) EXPECT_TRUE(named.count(rule.asprs_class) == 1) << layer.layer;
  }
}

}  // namespace
}  // namespace tuile
