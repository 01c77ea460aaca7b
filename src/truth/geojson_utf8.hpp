#pragma once

#include <string>
#include <string_view>

namespace tuile::truth {

/// U+FFFD, what stands for bytes that are no UTF-8.
inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

/// Length of the valid UTF-8 sequence that `text` begins with; 0: none (overlong forms, surrogates and what is above U+10FFFF are none).
std::size_t utf8_length(std::string_view text) noexcept;

/// Whether all of `text` is valid UTF-8.
bool is_utf8(std::string_view text) noexcept;

/// Appends a code point; what is none, as U+FFFD.
void append_utf8(std::string& out, unsigned code_point);

/// `text` with U+FFFD in the place of every byte that belongs to no valid sequence, and a space in that of every control character.
std::string clean_utf8(std::string_view text);

}  // namespace tuile::truth
