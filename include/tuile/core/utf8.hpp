#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tuile {

/// What a text begins with.
struct Utf8Character {
  char32_t code = U'\uFFFD';
  std::size_t length = 1;  ///< bytes
  bool sound = false;      ///< false: the bytes are not UTF-8
};

/// The character that `text` (not empty) begins with; where that is none, U+FFFD for the bytes that could have begun one, at least one
/// byte. Source: the Unicode Standard, table 3-7 and section 3.9, "U+FFFD substitution of maximal subparts"; WHATWG Encoding, 8.1.1.
Utf8Character utf8_character(std::string_view text) noexcept;

/// Whether all of `text` is UTF-8.
bool is_utf8(std::string_view text) noexcept;

/// The first `longest` characters of `text`; each damaged one is U+FFFD.
std::u32string utf8_decode(std::string_view text, std::size_t longest);

/// Appends a character; what is no character (a surrogate, above U+10FFFF), as U+FFFD.
void append_utf8(std::string& out, char32_t code);
std::string utf8_encode(std::u32string_view text);

/// `text` with U+FFFD in the place of each damaged character, and a space in that of every control character.
std::string clean_utf8(std::string_view text);

}  // namespace tuile
