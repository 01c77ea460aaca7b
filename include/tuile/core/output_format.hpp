#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tuile {

/// A kind of output file, as everybody knows it: configuration, plans, help and documentation. How it is written and checked stands in the
/// rows of write/formats.hpp.
struct OutputFormat {
  std::string_view name;       ///< in write.formats
  std::string_view extension;  ///< with its dot
  std::string_view what;       ///< in a few words
  std::string_view cost;       ///< what it takes beside the file; may be empty
  /// The tile's own records are written again: the input is read once more, in one piece, and all of its colours are wanted.
  bool repeats_points = false;
  std::size_t longest_column_name = 0;  ///< bytes; 0: any
};

/// The table, in the order in which files are written.
std::span<const OutputFormat> output_formats() noexcept;

/// Null for a name that is no format's.
const OutputFormat* find_output_format(std::string_view name) noexcept;

/// The rows of these names in the table's order, whatever theirs. Throws InvalidArgument naming one that is no format's.
std::vector<const OutputFormat*> output_formats_of(const std::vector<std::string>& names);

/// "npz, laz", for messages and help.
std::string output_format_names();

/// Whether one of these formats (names of the table) repeats the tile's points.
bool repeats_points(const std::vector<std::string>& formats) noexcept;

}  // namespace tuile
