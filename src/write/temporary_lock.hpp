#pragma once

#include <mutex>

namespace tuile::write {

/// Held while a temporary is created and locked, and while leftovers are looked for: nobody takes a file just created for one abandoned.
std::mutex& temporary_mutex();

}  // namespace tuile::write
