#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "tuile/core/file/atomic_file.hpp"

namespace tuile::write {

/// A published output file.
struct WrittenFile {
  std::string name;  ///< file name; its folder is the sidecar's
  std::uint64_t size = 0;
  std::string checksum;  ///< "xxh3:" and 16 hexadecimal digits: XXH3-64 of the bytes
  bool operator==(const WrittenFile&) const = default;
};

/// Takes size and checksum of what is in the file, then publishes it. Throws as AtomicFile::publish.
WrittenFile publish_output(AtomicFile& file);

/// Checksum of a file's bytes as in WrittenFile. Throws NotFound, PermissionDenied, IoError.
std::string file_checksum(const std::filesystem::path& path);

}  // namespace tuile::write
