#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

namespace tuile::source {

/// Nanoseconds since 1970 by the wall clock, the only one that processes share (and machines, where the folder is on a network).
struct SharedTimes {
  std::int64_t next_due = 0;
  std::int64_t closed_until = 0;
};

/// Reads the times that processes share on `origin`, lets `change` alter them and writes them back, all under the lock of the file
/// (`folder`/http-….bucket), which nobody holds for longer. A damaged file counts as zeros. Returns an empty text, or why the folder cannot
/// be used; `change` was then not called. Throws Cancelled.
std::string update_shared_times(const std::string& folder, const std::string& origin, const std::function<void(SharedTimes&)>& change,
                                const std::stop_token& stop);

}  // namespace tuile::source
