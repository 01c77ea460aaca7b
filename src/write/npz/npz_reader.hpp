#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "write/npz/npy.hpp"

namespace tuile::write {

/// One array of an NPZ file, its header only.
struct NpzArray {
  std::string name;  ///< without ".npy"
  NpyHeader header;
};

/// The arrays of an NPZ file as our sink writes them, read from the archive's directory and the arrays' headers; every size and offset is
/// checked against the file. Throws NotFound, PermissionDenied, IoError, CorruptData saying what contradicts what.
std::vector<NpzArray> read_npz_headers(const std::filesystem::path& path);

}  // namespace tuile::write
