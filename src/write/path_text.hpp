#pragma once

#include <optional>
#include <string>

namespace tuile::write {

/// A path as text that JSON can hold, reversibly: each byte that is not part of UTF-8 becomes U+FFFD and two hexadecimal digits ("\xE9" →
/// "\uFFFDE9"). A U+FFFD of the path itself is written as its three bytes, so every U+FFFD in the text begins a byte.
std::string path_to_text(const std::string& path);

/// The path again; nothing where a U+FFFD is not followed by two hexadecimal digits (0-9, A-F).
std::optional<std::string> path_from_text(const std::string& text);

}  // namespace tuile::write
