#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "support/test_data.hpp"

namespace tuile::test {

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The recorded GeoJSON answers, in order of name; none where this machine has no test data.
inline std::vector<std::filesystem::path> recorded_answers() {
  std::vector<std::filesystem::path> paths;
  for (const char* folder : {"wfs", "bdtopo_geojson"}) {
    const auto place = test_data(folder);
    if (!place) continue;
    for (const auto& entry : std::filesystem::directory_iterator(*place)) {
      if (entry.path().extension() == ".geojson") paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace tuile::test
