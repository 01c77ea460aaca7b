#include "config/read.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>
#include <utility>

#include "tuile/core/error.hpp"
#include "tuile/core/version.hpp"

namespace tuile::config {

namespace {

std::string describe(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null: return "empty (null)";
    case Value::Kind::scalar: return value.quoted ? "the text " + quoted_for_message(value.text) : quoted_for_message(value.text);
    case Value::Kind::sequence: return "a list";
    case Value::Kind::map: return "a map";
  }
  return "unknown";
}

std::string place(const Cell& cell) { return cell.source.place(cell.value.line, cell.value.column); }

bool is_plain(const Value& value) { return value.kind == Value::Kind::scalar && !value.quoted; }

template <class Number>
bool parse_whole(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

/// Decimal digits with an optional minus and without leading zeros (which YAML 1.1 took for octal).
bool is_decimal_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  return text.size() == 1 || text[0] != '0';
}

/// What is wrong with a value that would do, were it written otherwise.
std::string number_hint(const Value& value, bool integer) {
  if (value.kind != Value::Kind::scalar) return "";
  if (double number = 0; parse_whole(value.text, number)) {
    if (value.quoted) return "write it without quotes";
    if (std::isfinite(number) && integer && number != std::floor(number)) return "it is not a whole number";
    if (std::isfinite(number) && integer && !is_decimal_integer(value.text)) return "write it in plain digits";
  }
  return "";
}

struct Unit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array<Unit, 10> units{{{"", 1},
                                      {"B", 1},
                                      {"kB", 1000},
                                      {"MB", 1000'000},
                                      {"GB", 1000'000'000},
                                      {"TB", 1000'000'000'000},
                                      {"KiB", 1ULL << 10},
                                      {"MiB", 1ULL << 20},
                                      {"GiB", 1ULL << 30},
                                      {"TiB", 1ULL << 40}}};

}  // namespace

void refuse(const Cell& cell, const std::string& hint) {
  throw ConfigError(place(cell) + ": " + cell.path + " is " + describe(cell.value) + "; " + cell.expected + " is expected" +
                    (hint.empty() ? "" : " (" + hint + ")") + (cell.example.empty() ? "" : ", e.g. " + cell.example));
}

void refuse_later(const Cell& cell, const std::string& what, const std::string& instead) {
  throw ConfigError(place(cell) + ": " + cell.path + ": " + what + " is not in this version (" + version() + "); " + instead);
}

std::string index_suffix(std::size_t index) {
  std::string out = "[";
  out += std::to_string(index);
  return out += ']';
}

bool is_word(const Value& value, std::string_view word) { return value.kind == Value::Kind::scalar && value.text == word; }

bool read_boolean(const Cell& cell) {
  const Value& value = cell.value;
  if (is_plain(value) && value.text == "true") return true;
  if (is_plain(value) && value.text == "false") return false;
  if (value.quoted && (value.text == "true" || value.text == "false")) refuse(cell, "write it without quotes");
  refuse(cell, "booleans are written true and false");
}

std::int64_t read_integer(const Cell& cell, std::int64_t low, std::int64_t high) {
  std::int64_t number = 0;
  if (!is_plain(cell.value) || !is_decimal_integer(cell.value.text) || !parse_whole(cell.value.text, number) || number < low ||
      number > high) {
    refuse(cell, number_hint(cell.value, true));
  }
  return number;
}

double read_real(const Cell& cell, double low, bool open, double high) {
  double number = 0;
  if (!is_plain(cell.value) || !parse_whole(cell.value.text, number)) refuse(cell, number_hint(cell.value, false));
  if (!std::isfinite(number) || number < low || (open && number <= low) || number > high) refuse(cell);
  return number == 0 ? 0 : number;  // -0 is 0
}

std::uint64_t read_size(const Cell& cell, std::uint64_t low) {
  if (cell.value.kind != Value::Kind::scalar) refuse(cell);
  const std::string_view text = cell.value.text;
  const std::size_t digits = text.find_first_not_of("0123456789.");
  std::string_view number = text.substr(0, digits);
  std::string_view unit = digits == std::string_view::npos ? std::string_view() : text.substr(digits);
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const Unit& known : units) {
    if (unit != known.name) continue;
    std::uint64_t whole = 0;
    double real = 0;
    std::uint64_t bytes = 0;
    if (parse_whole(number, whole)) {
      if (whole > std::numeric_limits<std::uint64_t>::max() / known.bytes) refuse(cell);
      bytes = whole * known.bytes;
    } else if (known.bytes > 1 && parse_whole(number, real) && real * static_cast<double>(known.bytes) < 0x1p63) {
      bytes = static_cast<std::uint64_t>(real * static_cast<double>(known.bytes));
    } else {
      refuse(cell);
    }
    if (bytes < low) refuse(cell);
    return bytes;
  }
  refuse(cell, "units are kB MB GB TB KiB MiB GiB TiB");
}

std::string read_text(const Cell& cell) {
  if (cell.value.kind != Value::Kind::scalar || cell.value.text.empty()) refuse(cell);
  // Texts become paths, URLs and names, and for every C library a NUL would end them.
  if (cell.value.text.find('\0') != std::string::npos) refuse(cell, "it holds a NUL character; leave that out");
  return cell.value.text;
}

std::vector<Value> read_list(const Cell& cell) {
  const Value& value = cell.value;
  if (value.kind == Value::Kind::sequence) return value.items;
  if (!cell.source.command_line || !is_plain(value)) {
    refuse(cell, value.kind == Value::Kind::scalar ? "write it as a list: [" + value.text.substr(0, 60) + "]" : "");
  }
  std::vector<Value> items;
  for (std::size_t start = 0; start <= value.text.size();) {
    const std::size_t end = std::min(value.text.find(',', start), value.text.size());
    Value item = value;
    item.text = value.text.substr(start, end - start);
    items.push_back(std::move(item));
    start = end + 1;
  }
  return items;
}

std::string format_real(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

std::string format_size(std::uint64_t bytes) {
  for (auto unit = units.rbegin(); unit->name != "TB"; ++unit) {
    if (bytes >= unit->bytes && bytes % unit->bytes == 0) return std::to_string(bytes / unit->bytes) + std::string(unit->name);
  }
  return std::to_string(bytes);
}

std::string format_text(const std::string& text) {
  // Plain where nothing in it can mean anything to YAML, and it cannot be taken for another type or for `auto`.
  const auto is_safe = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '/' || c == '.' || c == '-' ||
           c == '+';
  };
  bool plain = !text.empty() && text.find_first_of("/._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == 0 && text != "null" &&
               text != "Null" && text != "NULL" && text != "auto" && text != "..." && text != "true" && text != "false";
  for (const char c : text) plain = plain && is_safe(c);
  if (plain) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      constexpr const char* digits = "0123456789abcdef";
      out += "\\x";
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[static_cast<unsigned char>(c) & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace tuile::config
