#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace tuile::test {

inline std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The page docs/NAME is `made`. TUILE_UPDATE_DOCS=1 (`make docs`) writes it.
inline void expect_committed(const std::string& name, const std::string& made) {
  const std::filesystem::path page = std::filesystem::path(TUILE_SOURCE_DIR) / "docs" / name;
  if (std::getenv("TUILE_UPDATE_DOCS") != nullptr) {
    std::filesystem::create_directories(page.parent_path());
    if (text_of_file(page) != made) std::ofstream(page, std::ios::binary) << made;
  }
  EXPECT_EQ(text_of_file(page), made) << "docs/" << name << " is older than its source: run `make docs` and commit it";
}

/// The same for a part of the page, between the lines "<!-- NAME: … -->" and "<!-- end of NAME -->".
inline void expect_committed_part(const std::string& name, const std::string& part, const std::string& made) {
  const std::filesystem::path page = std::filesystem::path(TUILE_SOURCE_DIR) / "docs" / name;
  const std::string text = text_of_file(page);
  const std::size_t mark = text.find("<!-- " + part + ": ");
  const std::size_t begin = mark == std::string::npos ? mark : text.find('\n', mark);
  const std::size_t end = text.find("<!-- end of " + part + " -->");
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos && begin < end)
      << "docs/" << name << " has no lines '<!-- " << part << ": … -->' and '<!-- end of " << part << " -->'";
  expect_committed(name, text.substr(0, begin + 1) + "\n" + made + "\n" + text.substr(end));
}

}  // namespace tuile::test
