#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tuile::bench {

/// What was seen of a process that has ended.
struct ChildUsage {
  std::uint64_t peak_anonymous = 0;  ///< bytes: largest RssAnon, looked at every 2 ms
  double seconds = 0;
};

/// Runs a program to its end, its output and messages unseen. Throws IoError where it cannot be started or ends with another status than 0.
ChildUsage run_child(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace tuile::bench
