#include "tuile/core/version.hpp"

namespace tuile {

const char* version() noexcept { return TUILE_VERSION; }

}  // namespace tuile
