#include "path_text.hpp"

#include <cstddef>
#include <string_view>

namespace tuile::write {

namespace {

constexpr std::string_view marker = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view digits = "0123456789ABCDEF";

/// Bytes of the character that `text` begins with, 0 where it begins with none. Source: the Unicode Standard, table 3-7.
std::size_t character_length(std::string_view text) {
  const auto in = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && static_cast<unsigned char>(text[i]) >= low && static_cast<unsigned char>(text[i]) <= high;
  };
  const auto more = [&](std::size_t i) { return in(i, 0x80, 0xBF); };
  if (in(0, 0x00, 0x7F)) return 1;
  if (in(0, 0xC2, 0xDF)) return more(1) ? 2 : 0;
  if (in(0, 0xE0, 0xEF)) {
    const unsigned low = in(0, 0xE0, 0xE0) ? 0xA0 : 0x80, high = in(0, 0xED, 0xED) ? 0x9F : 0xBF;
    return in(1, low, high) && more(2) ? 3 : 0;
  }
  if (in(0, 0xF0, 0xF4)) {
    const unsigned low = in(0, 0xF0, 0xF0) ? 0x90 : 0x80, high = in(0, 0xF4, 0xF4) ? 0x8F : 0xBF;
    return in(1, low, high) && more(2) && more(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string path_to_text(const std::string& path) {
  std::string text;
  for (std::string_view rest = path; !rest.empty();) {
    const std::size_t length = character_length(rest);
    if (length > 0 && rest.substr(0, length) != marker) {
      text += rest.substr(0, length);
      rest.remove_prefix(length);
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
