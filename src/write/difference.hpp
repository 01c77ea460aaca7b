#pragma once

#include <cstdint>
#include <string>

namespace tuile::write {

/// "WHAT is FOUND, the sidecar says EXPECTED".
inline std::string differs(const std::string& what, const std::string& found, const std::string& expected) {
  return what + " is " + found + ", the sidecar says " + expected;
}
inline std::string differs(const std::string& what, std::uint64_t found, std::uint64_t expected) {
  return differs(what, std::to_string(found), std::to_string(expected));
}

}  // namespace tuile::write
