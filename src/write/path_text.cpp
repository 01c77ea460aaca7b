#include "path_text.hpp"

#include <cstddef>
#include <string_view>

#include "tuile/core/utf8.hpp"

namespace tuile::write {

namespace {

constexpr std::string_view marker = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view digits = "0123456789ABCDEF";

}  // namespace

std::string path_to_text(const std::string& path) {
  std::string text;
  for (std::string_view rest = path; !rest.empty();) {
    const Utf8Character character = utf8_character(rest);
    if (character.sound && rest.substr(0, character.length) != marker) {
      text += rest.substr(0, character.length);
      rest.remove_prefix(character.length);
      continue;
    }
    const auto byte = static_cast<unsigned char>(rest.front());
    text += marker;
    text += digits[byte >> 4];
    text += digits[byte & 0xF];
    rest.remove_prefix(1);
  }
  return text;
}

std::optional<std::string> path_from_text(const std::string& text) {
  std::string path;
  std::string_view rest = text;
  while (true) {
    const std::size_t at = rest.find(marker);
    path += rest.substr(0, at);
    if (at == std::string_view::npos) return path;
    rest.remove_prefix(at + marker.size());
    if (rest.size() < 2) return std::nullopt;
    const std::size_t high = digits.find(rest[0]), low = digits.find(rest[1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    path += static_cast<char>(high << 4 | low);
    rest.remove_prefix(2);
  }
}

}  // namespace tuile::write
