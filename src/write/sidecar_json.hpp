#pragma once

#include <string>

namespace tuile::write {

/// True for sound JSON that is no sidecar at all (a report, a trace): a damaged sidecar is not.
bool is_foreign_json(const std::string& text);

/// A text as it reads back from a sidecar: bytes that are not UTF-8 become U+FFFD.
std::string as_utf8(const std::string& text);

}  // namespace tuile::write
