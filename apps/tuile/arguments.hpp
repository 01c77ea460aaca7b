#pragma once

#include <string>

#include "tuile/core/bounds.hpp"

namespace tuile::app {

/// The value of --bbox: "X0,Y0,X1,Y1" in metres. Throws ConfigError.
Bounds parse_bbox(const std::string& text);

}  // namespace tuile::app
