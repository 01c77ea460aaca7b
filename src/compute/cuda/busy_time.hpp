#pragma once

#include <cstdint>
#include <map>

namespace tuile::compute::cuda {

/// The length of a union of intervals, which may come in any order and overlap. Nanoseconds of any clock.
class BusyTime {
 public:
  /// Empty where end <= begin. Intervals are kept apart up to `most` of them; then the earliest is only counted, and what comes later and
  /// overlaps it counts twice.
  void add(std::int64_t begin, std::int64_t end);
  std::int64_t length() const noexcept { return length_; }

  static constexpr std::size_t most = 4096;

 private:
  std::map<std::int64_t, std::int64_t> intervals_;  ///< end by begin, disjoint and not touching
  std::int64_t length_ = 0;
};

}  // namespace tuile::compute::cuda
