#pragma once

namespace tuile {

/// Version of this library, e.g. "0.1.0".
const char* version() noexcept;

}  // namespace tuile
