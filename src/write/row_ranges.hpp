#pragma once

#include <cstdint>
#include <map>

namespace tuile::write {

/// Which rows of a tile a sink has been given.
class RowRanges {
 public:
  /// Throws InvalidArgument where some row was given before.
  void add(std::uint64_t first, std::uint64_t count);
  /// Throws InvalidArgument naming the first rows that are missing from [0, rows).
  void expect_all(std::uint64_t rows) const;

 private:
  std::map<std::uint64_t, std::uint64_t> ends_;  ///< first row → row after the last; adjoining ranges joined
};

}  // namespace tuile::write
