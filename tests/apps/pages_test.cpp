// Completions and man pages are what the parser of the command line says. TUILE_UPDATE_DOCS=1 (`make docs`) writes them anew.
#include "pages/pages.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "command_line.hpp"
#include "support/committed_page.hpp"

namespace tuile::app::pages {
namespace {

CommandPage page() {
  const CommandLine line;
  return page_of(line.app);
}

TEST(Pages, CompletionsAreTheCommittedOnes) {
  test::expect_committed("completions/tuile.bash", bash_completion(page()));
  test::expect_committed("completions/_tuile", zsh_completion(page()));
  test::expect_committed("completions/tuile.fish", fish_completion(page()));
}

TEST(Pages, ManPagesAreTheCommittedOnes) {
  std::set<std::string> names, there;
  for (const auto& [name, text] : man_pages(page())) {
    names.insert(name);
    test::expect_committed("man/" + name, text);
  }
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(TUILE_SOURCE_DIR) / "docs" / "man"))
    there.insert(entry.path().filename().string());
  EXPECT_EQ(there, names) << "docs/man holds a page of a command that is no more";
}

TEST(Pages, EveryValueSaysWhatItTakes) {
  const CommandPage root = page();
  for (const CommandPage* command : all_of(root)) {
    for (const auto* options : {&command->options, &command->arguments}) {
      for (const OptionPage& option : *options) {
        const std::string name = command->path + " " + (option.names.empty() ? option.help : option.names.back());
        EXPECT_NE(option.value, "TEXT:") << name;
        for (const char* plain : {"INT", "UINT", "FLOAT"}) EXPECT_NE(option.value.substr(0, option.value.find(':')), plain) << name;
        EXPECT_FALSE(option.help.empty()) << name;
      }
    }
  }
}

}  // namespace
}  // namespace tuile::app::pages
