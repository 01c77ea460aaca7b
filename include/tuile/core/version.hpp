#pragma once

namespace tuile {

/// Version of this library, e.g. "0.5.0".
const char* version() noexcept;

}  // namespace tuile
