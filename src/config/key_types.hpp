#pragma once

// Makes a Key of each type from its texts, its range and a function that picks its member out of a Config (const or not).

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/keys.hpp"

namespace tuile::config {

/// What the documentation says of a key.
struct KeyText {
  std::string path;
  std::string unit;
  bool changes_bytes;
  std::string meaning;
  std::string cost;
};

inline Key make_key(KeyText text, std::string expected, std::string example) {
  return {std::move(text.path),
          std::move(text.unit),
          text.changes_bytes,
          std::move(text.meaning),
          std::move(text.cost),
          std::move(expected),
          std::move(example),
          {},
          {},
          {}};
}

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

/// An int, a size or an Auto of one.
template <class Member>
Key integer_key(KeyText text, std::int64_t low, std::int64_t high, std::string example, Member member) {
  using Held = std::remove_cvref_t<decltype(member(std::declval<Config&>()))>;
  const std::string range = high == std::numeric_limits<std::int64_t>::max()
                                ? "an integer of " + std::to_string(low) + " or more"
                                : "an integer from " + std::to_string(low) + " to " + std::to_string(high);
  Key key = make_key(std::move(text), (IsOptional<Held>::value ? "auto or " : "") + range, std::move(example));
  key.read = [=](Config& config, const Cell& cell) {
    if constexpr (IsOptional<Held>::value) {
      if (is_word(cell.value, "auto")) {
        member(config).reset();
      } else {
        member(config) = static_cast<typename Held::value_type>(read_integer(cell, low, high));
      }
    } else {
      member(config) = static_cast<Held>(read_integer(cell, low, high));
    }
  };
  key.show = [=](const Config& config) -> std::string {
    if constexpr (IsOptional<Held>::value) {
      return member(config) ? std::to_string(*member(config)) : "auto";
    } else {
      return std::to_string(member(config));
    }
  };
  return key;
}

/// Whether the lower end of a range belongs to it.
enum class Lower { closed, open };

/// A double, or an optional one that null empties.
template <class Member>
Key real_key(KeyText text, Lower lower, double low, double high, std::string example, Member member) {
  using Held = std::remove_cvref_t<decltype(member(std::declval<Config&>()))>;
  const std::string range = std::string("a number ") + (lower == Lower::open ? "above " : "from ") + format_real(low) +
                            (lower == Lower::open ? ", at most " : " to ") + format_real(high);
  Key key = make_key(std::move(text), (IsOptional<Held>::value ? "null or " : "") + range, std::move(example));
  key.read = [=](Config& config, const Cell& cell) {
    if constexpr (IsOptional<Held>::value) {
      if (cell.value.kind == Value::Kind::null) {
        member(config).reset();
        return;
      }
    }
    member(config) = read_real(cell, low, lower == Lower::open, high);
  };
  key.show = [=](const Config& config) -> std::string {
    if constexpr (IsOptional<Held>::value) {
      return member(config) ? format_real(*member(config)) : "null";
    } else {
      return format_real(member(config));
    }
  };
  return key;
}

/// A number of bytes.
template <class Member>
Key size_key(KeyText text, std::uint64_t low, std::string expected, std::string example, Member member) {
  Key key = make_key(std::move(text), std::move(expected), std::move(example));
  key.read = [=](Config& config, const Cell& cell) { member(config) = read_size(cell, low); };
  key.show = [=](const Config& config) { return format_size(member(config)); };
  return key;
}

/// A word for each value of an enum.
template <class Enum>
using Words = std::vector<std::pair<std::string, Enum>>;

/// "a, b or c"
template <class Items, class Name>
std::string one_of(const Items& items, Name name) {
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) out += (i == 0 ? "" : i + 1 == items.size() ? " or " : ", ") + std::string(name(items[i]));
  return out;
}

template <class Enum, class Member>
Key word_key(KeyText text, Words<Enum> words, Member member) {
  const auto name = [](const auto& word) { return word.first; };
  Key key = make_key(std::move(text), one_of(words, name), words.back().first);
  for (const auto& [word, value] : words) key.words.push_back(word);
  key.read = [=](Config& config, const Cell& cell) {
    if (std::is_same_v<Enum, int> && cell.value.quoted) refuse(cell, "write it without quotes");
    for (const auto& [word, value] : words) {
      if (is_word(cell.value, word)) {
        member(config) = value;
        return;
      }
    }
    refuse(cell);
  };
  key.show = [=](const Config& config) -> std::string {
    for (const auto& [word, value] : words) {
      if (member(config) == value) return word;
    }
    return {};
  };
  return key;
}

template <class Member>
Key switch_key(KeyText text, Member member) {
  Key key = make_key(std::move(text), "true or false", "true");
  key.words = {"true", "false"};
  key.read = [=](Config& config, const Cell& cell) { member(config) = read_boolean(cell); };
  key.show = [=](const Config& config) -> std::string { return member(config) ? "true" : "false"; };
  return key;
}

/// The switch of a part that this version does not have: false only.
template <class Member>
Key later_switch_key(KeyText text, const std::string& instead, Member member) {
  Key key = make_key(std::move(text), "false", "false");
  const std::string what = key.path.substr(0, key.path.rfind('.'));
  key.read = [=](Config& config, const Cell& cell) {
    if (read_boolean(cell)) refuse_later(cell, what, instead);
    member(config) = false;
  };
  key.show = [=](const Config& config) -> std::string { return member(config) ? "true" : "false"; };
  return key;
}

/// A list as one line of YAML.
template <class Items, class Format>
std::string show_list(const Items& items, Format format) {
  std::string out = "[";
  for (const auto& item : items) out += (out.size() > 1 ? ", " : "") + format(item);
  return out + "]";
}

}  // namespace tuile::config
