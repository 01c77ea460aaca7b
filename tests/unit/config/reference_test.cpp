// docs/configuration.md is what the table of keys says. TUILE_UPDATE_DOCS=1 (`make docs`) writes it anew.
#include <gtest/gtest.h>

#include <string>

#include "support/committed_page.hpp"
#include "tuile/config/load.hpp"

namespace tuile::config {
namespace {

TEST(Reference, IsTheCommittedPage) { test::expect_committed("configuration.md", reference_markdown()); }

TEST(Reference, ItsDefaultsAreTheDefaults) {
  const std::string text = reference_markdown();
  const std::size_t start = text.find("```yaml\n") + 8;
  const Config config = parse_config(text.substr(start, text.find("```", start) - start));
  EXPECT_EQ(byte_relevant_text(config), byte_relevant_text(Config{}));
  EXPECT_GT(config.origins.size(), 40U);
}

}  // namespace
}  // namespace tuile::config
