#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/value.hpp"

namespace tuile::config {

/// A value about to be read into a key: what it is, where it stands and what is expected there.
struct Cell {
  const Value& value;
  const Source& source;
  std::string path;      ///< "features.k", "features.scales[1].k"
  std::string expected;  ///< "an integer from 3 to 4096"
  std::string example;   ///< "features.k: 20"

  /// The same for a part of this value.
  Cell part(const Value& item, const std::string& suffix, const std::string& what) const {
    return {item, source, path + suffix, what, example};
  }
};

/// Throws ConfigError: place, path, the value, `expected`, the example, and `hint` where it is not empty.
[[noreturn]] void refuse(const Cell& cell, const std::string& hint = "");
/// Throws ConfigError: what is asked for belongs to a later version; `instead` says what to do now.
[[noreturn]] void refuse_later(const Cell& cell, const std::string& what, const std::string& instead);

/// "[1]"
std::string index_suffix(std::size_t index);

bool is_word(const Value& value, std::string_view word);

// Each takes exactly its type, with no conversions: "20" in quotes is a text, 20.5 not an integer, yes not a boolean.
bool read_boolean(const Cell& cell);
std::int64_t read_integer(const Cell& cell, std::int64_t low, std::int64_t high);
/// low < value where `open` is set, low <= value otherwise; value <= high.
double read_real(const Cell& cell, double low, bool open, double high);
/// Bytes: an integer, or a number with kB MB GB TB (powers of 1000) or KiB MiB GiB TiB (powers of 1024).
std::uint64_t read_size(const Cell& cell, std::uint64_t low);
/// A text that is not empty.
std::string read_text(const Cell& cell);
/// The items of a list. On the command line a plain text is a list too, its items separated by commas.
std::vector<Value> read_list(const Cell& cell);

/// The shortest decimal text that gives the same double again.
std::string format_real(double value);
/// "4GiB" where that is exact, else bytes.
std::string format_size(std::uint64_t bytes);
/// The text as a YAML scalar that is read back as the same text.
std::string format_text(const std::string& text);

}  // namespace tuile::config
