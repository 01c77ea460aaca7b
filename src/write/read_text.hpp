#pragma once

#include <filesystem>
#include <string>

namespace tuile::write {

/// The bytes of a JSON file. Throws NotFound, PermissionDenied, IoError, CorruptData (too large to be a sidecar, or no file).
std::string read_json_text(const std::filesystem::path& path);

}  // namespace tuile::write
