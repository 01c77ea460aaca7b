#pragma once

#include <string>

namespace tuile::write {

/// Checksum (see WrittenFile) of all bytes of an open file. Throws IoError naming `path`.
std::string checksum(int descriptor, const std::string& path);

}  // namespace tuile::write
