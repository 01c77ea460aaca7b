#include "tuile/core/utf8.hpp"

namespace tuile {

Utf8Character utf8_character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1, true};
  if (first < 0xC2 || first > 0xF4) return {};
  const std::size_t length = first < 0xE0 ? 2 : (first < 0xF0 ? 3 : 4);
  // What may stand second keeps out longer forms than needed, surrogates, and what lies above U+10FFFF.
  unsigned low = first == 0xE0 ? 0xA0 : (first == 0xF0 ? 0x90 : 0x80);
  unsigned high = first == 0xED ? 0x9F : (first == 0xF4 ? 0x8F : 0xBF);
  char32_t code = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= text.size() || byte(i) < low || byte(i) > high) return {U'\uFFFD', i, false};
    code = code << 6 | (byte(i) & 0x3FU);
    low = 0x80;
    high = 0xBF;
  }
  return {code, length, true};
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const Utf8Character character = utf8_character(text);
    if (!character.sound) return false;
    text.remove_prefix(character.length);
  }
  return true;
}

std::u32string utf8_decode(std::string_view text, std::size_t longest) {
  std::u32string codes;
  while (!text.empty() && codes.size() < longest) {
    const Utf8Character character = utf8_character(text);
    codes += character.code;
    text.remove_prefix(character.length);
  }
  return codes;
}

void append_utf8(std::string& out, char32_t code) {
  if ((code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) code = U'\uFFFD';
  const auto more = [&](unsigned shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    more(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    more(6);
    more(0);
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    more(12);
    more(6);
    more(0);
  }
}

std::string utf8_encode(std::u32string_view text) {
  std::string bytes;
  for (const char32_t code : text) append_utf8(bytes, code);
  return bytes;
}

std::string clean_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Character character = utf8_character(text);
    if (!character.sound) {
      append_utf8(out, character.code);
    } else if (character.code < 0x20 || character.code == 0x7F) {
      out += ' ';
    } else {
      out += text.substr(0, character.length);
    }
    text.remove_prefix(character.length);
  }
  return out;
}

}  // namespace tuile
