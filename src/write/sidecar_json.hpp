#pragma once

#include <string>

namespace tuile::write {

/// True for sound JSON that is no sidecar at all (a report, a trace): a damaged sidecar is not.
bool is_foreign_json(const std::string& text);

}  // namespace tuile::write
