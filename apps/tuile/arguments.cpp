#include "arguments.hpp"

#include <cstdio>

#include "tuile/config/load.hpp"
#include "tuile/core/error.hpp"

namespace tuile::app {

Bounds parse_bbox(const std::string& text) {
  Bounds box;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%lf,%lf,%lf,%lf%c", &box.min_x, &box.min_y, &box.max_x, &box.max_y, &rest) != 4 || box.empty()) {
    throw ConfigError("--bbox '" + text +
                      "': X0,Y0,X1,Y1 in metres with X0 <= X1 and Y0 <= Y1 is expected, e.g. 870000,6617000,870500,6617500");
  }
  return box;
}

std::string words_of_key(const std::string& path, const std::string& others) {
  std::string out;
  for (const config::KeyWords& key : config::key_words()) {
    if (key.path != path) continue;
    for (const std::string& word : key.words) out += (out.empty() ? "" : "|") + word;
  }
  return others.empty() ? out : out + "|" + others;
}

std::string words_of_presets() {
  std::string out;
  for (const config::Preset& preset : config::presets()) out += (out.empty() ? "" : "|") + std::string(preset.name);
  return out;
}

}  // namespace tuile::app
