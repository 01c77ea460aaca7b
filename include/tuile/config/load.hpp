#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tuile/config/config.hpp"

namespace tuile::config {

/// A command-line option that stands for a key.
struct Flag {
  std::string key;          ///< dotted path, e.g. "features.k"
  std::string value;        ///< taken as it stands, never as YAML; the items of a list are separated by commas
  std::string option = {};  ///< how the user wrote it, for messages, e.g. "--k"; empty: the key
};

/// Where values come from, in rising precedence.
struct Sources {
  std::string preset;              ///< name of one of presets(), or empty
  std::string file;                ///< path of a YAML file, or empty
  std::string text;                ///< YAML in memory, or empty
  std::vector<std::string> set;    ///< "features.k=30": the value is YAML (for a list also "a,b"); a later one wins
  std::string set_name = "--set";  ///< what messages call `set`
  std::vector<Flag> flags;         ///< a later one wins, but those of `input` (one path each, commas are part of it) add up
};

/// The configuration that the sources give. Relative paths stay as they are: relative to the working folder.
/// Throws ConfigError: a key that does not exist or is given twice, a value of the wrong type or outside its range, damaged YAML, or
/// something that this version does not do; the message says where (file, line and column, or the option), what is allowed there and the
/// nearest valid key. Also where the file cannot be read or there is no such preset.
Config load_config(const Sources& sources);

/// The same for YAML text in memory; `name` stands for it in messages.
Config parse_config(std::string_view yaml, const std::string& name = "config");

/// Every key with its value and, as a comment, where the value comes from. It is YAML that gives the same configuration again.
std::string effective_yaml(const Config& config);

/// Canonical text of exactly those keys whose value can change output bytes: one line "key: value" each, in a fixed order, whatever the
/// order, style and origin in the sources. The backend is not among them (what `auto` resolves to is).
std::string byte_relevant_text(const Config& config);

/// A ready-made configuration.
struct Preset {
  std::string_view name;
  std::string_view summary;
  std::string_view yaml;
};
const std::vector<Preset>& presets();

/// A key, for completions: its dotted path and the words that it takes, where there are such.
struct KeyWords {
  std::string path;
  std::vector<std::string> words;
};
std::vector<KeyWords> key_words();

/// docs/configuration.md: every key with meaning, type, default, unit and cost.
std::string reference_markdown();

}  // namespace tuile::config
