#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tuile::config {

/// Larger texts are refused before they are parsed, deeper ones while they are: a configuration is small, and the YAML parser recurses.
inline constexpr std::size_t max_yaml_bytes = std::size_t{1} << 20;
inline constexpr std::size_t max_yaml_depth = 64;

struct Entry;

/// A piece of YAML with its place in the text.
struct Value {
  enum class Kind { null, scalar, sequence, map };
  Kind kind = Kind::null;
  std::string text;  ///< scalar
  bool quoted = false;
  int line = 0, column = 0;    ///< from 1; 0: not from a text
  std::vector<Value> items;    ///< sequence
  std::vector<Entry> entries;  ///< map, in the text's order, each key once
};

struct Entry {
  std::string key;
  int line = 0, column = 0;
  Value value;
};

/// Where a text comes from.
struct Source {
  std::string name;           ///< "c.yaml", "--set", "--k"
  std::string origin;         ///< what Config::origins gets, without the line
  bool has_lines = false;     ///< a file: places are name:line:column
  bool command_line = false;  ///< a plain text may stand for a list, its items separated by commas

  std::string place(int line, int column) const {
    return has_lines && line > 0 ? name + ":" + std::to_string(line) + ":" + std::to_string(column) : name;
  }
};

/// Parses one YAML document without anchors, aliases and tags. An empty text is null.
/// Throws ConfigError naming the place, whatever the bytes.
Value parse_yaml(std::string_view text, const Source& source);

/// A text from outside as it may stand in a message: at most 60 bytes, control characters escaped, in single quotes.
std::string quoted_for_message(std::string_view text);

}  // namespace tuile::config
