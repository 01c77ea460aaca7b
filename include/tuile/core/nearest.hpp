#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tuile {

/// Edits (insert, delete, replace, swap of neighbours) that turn one text into the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate with the fewest edits, or "" where all need more than a third of the word's length plus one: then it is no slip of the
/// finger.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace tuile
