#pragma once

#include <string>

#include "tuile/core/bounds.hpp"

namespace tuile::app {

/// The value of --bbox: "X0,Y0,X1,Y1" in metres. Throws ConfigError.
Bounds parse_bbox(const std::string& text);

/// What an option or an argument takes stands in the help, and completions are made of it: alternatives joined by '|', each a word, or in
/// capitals what stands for many (FILE, DIR, INPUT: paths; KEY=VALUE: of the configuration; FEATURE: a name; N: a number). ",..." at the
/// end: a list of these. The alternatives that a key of the configuration takes: its words, then `others`.
std::string words_of_key(const std::string& path, const std::string& others = "");
/// The names of the ready-made configurations.
std::string words_of_presets();

}  // namespace tuile::app
