// docs/configuration.md is what the table of keys says. TUILE_UPDATE_DOCS=1 (`make docs`) writes it anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tuile/config/load.hpp"

namespace tuile::config {
namespace {

TEST(Reference, IsTheCommittedPage) {
  const std::filesystem::path page = std::filesystem::path(TUILE_SOURCE_DIR) / "docs" / "configuration.md";
  if (std::getenv("TUILE_UPDATE_DOCS") != nullptr) std::ofstream(page) << reference_markdown();
  std::ifstream file(page);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), reference_markdown()) << "run `make docs` and commit docs/configuration.md";
}

TEST(Reference, ItsDefaultsAreTheDefaults) {
  const std::string text = reference_markdown();
  const std::size_t start = text.find("```yaml\n") + 8;
  const Config config = parse_config(text.substr(start, text.find("```", start) - start));
  EXPECT_EQ(byte_relevant_text(config), byte_relevant_text(Config{}));
  EXPECT_GT(config.origins.size(), 40U);
}

}  // namespace
}  // namespace tuile::config
