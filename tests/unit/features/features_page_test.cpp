// The tables of docs/features.md are the table of features. TUILE_UPDATE_DOCS=1 (`make docs`) writes them anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "support/committed_page.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::features {
namespace {

std::string column_table() {
  std::string text = "| name | definition | unit | range | not defined | source |\n| --- | --- | --- | --- | --- | --- |\n";
  for (std::size_t i = 0; i < feature_count; ++i) {
    const FeatureInfo& row = info(static_cast<Feature>(i));
    text += "| `" + std::string(row.name) + "` | ";
    for (const std::string_view cell : {row.formula, row.unit, row.range, row.undefined, row.source}) text += std::string(cell) + " | ";
    text.back() = '\n';
  }
  return text;
}

std::string set_table() {
  std::string text = "| set | columns |\n| --- | --- |\n";
  for (const std::string& set : set_names()) {
    const std::vector<std::string> columns = set_columns(set);
    text += "| `" + set + "` | " + std::to_string(columns.size()) + ": ";
    if (columns.size() == feature_count) {
      text += "all";
    } else {
      for (std::size_t i = 0; i < columns.size(); ++i) text += (i > 0 ? ", " : "") + columns[i];
    }
    text += " |\n";
  }
  return text;
}

TEST(FeaturesPage, ItsTablesAreTheLibrarys) {
  test::expect_committed_part("features.md", "columns", column_table());
  test::expect_committed_part("features.md", "sets", set_table());
}

TEST(FeaturesPage, EveryColumnHasItsUnitAndDefinition) {
  for (std::size_t i = 0; i < feature_count; ++i) {
    const FeatureInfo& row = info(static_cast<Feature>(i));
    EXPECT_FALSE(row.unit.empty() || row.formula.empty() || row.description.empty()) << row.name;
    EXPECT_FALSE(row.unit == "1" && row.range.empty()) << row.name;
    for (const std::string_view cell : {row.formula, row.range, row.undefined, row.source})
      EXPECT_EQ(cell.find('|'), cell.npos) << row.name;
  }
}

}  // namespace
}  // namespace tuile::features
