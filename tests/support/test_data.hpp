#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace tuile::test {

/// A file or folder of the real test data, or nothing where this machine has none. TUILE_TEST_DATA overrides the place.
inline std::optional<std::filesystem::path> test_data(const std::string& relative) {
  const char* override_path = std::getenv("TUILE_TEST_DATA");
  const std::filesystem::path root =
      override_path != nullptr ? std::filesystem::path(override_path) : std::filesystem::path(TUILE_SOURCE_DIR) / ".." / "shared" / "data";
  std::error_code error;
  const std::filesystem::path path = root / relative;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  return path;
}

}  // namespace tuile::test
