#pragma once

namespace tuile {

/// Version of this library, e.g. "0.4.0".
const char* version() noexcept;

}  // namespace tuile
