#pragma once

#include "tuile/config/config.hpp"

namespace tuile::python {

/// What Python's Config holds (tuile/config.py: `config._native`). Immutable.
struct NativeConfig {
  config::Config value;
};

}  // namespace tuile::python
