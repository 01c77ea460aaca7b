#pragma once

#include <string>
#include <vector>

namespace tuile::catalog {

/// One file that the user's INPUTs lead to.
struct InputFile {
  std::string path;  ///< or a URL
  std::string name;  ///< output name without extension; files found below an INPUT directory keep their sub-path
};

/// Turns INPUTs into files, each once, sorted by path: files, directories (searched recursively for .las and .laz, any case),
/// globs (*, ?, [..]), http(s) URLs and @list.txt (one INPUT a line, # starts a comment, paths relative to the list's folder).
/// A folder whose name ends in .las or .laz, one that cannot be listed and a link that leads nowhere are kept as files, so that their
/// errors are reported with the tiles. `output`, the folder that the run writes to (or empty), is left out where it lies below an INPUT
/// folder. Throws ConfigError: an INPUT that leads nowhere, a glob without match, a list in a list, a URL that names no file or holds a
/// password, no file at all.
std::vector<InputFile> expand_inputs(const std::vector<std::string>& inputs, const std::string& output = "");

/// File name without .las, .laz, .copc.laz (any case); of a URL the last part of its path, decoded where that is a file name.
std::string tile_name(const std::string& path);

}  // namespace tuile::catalog
