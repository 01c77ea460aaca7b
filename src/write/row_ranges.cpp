#include "row_ranges.hpp"

#include <iterator>
#include <string>

#include "tuile/core/error.hpp"

namespace tuile::write {

void RowRanges::add(std::uint64_t first, std::uint64_t count) {
  if (count == 0) return;
  std::uint64_t end = first + count;
  auto next = ends_.lower_bound(first);
  auto previous = next == ends_.begin() ? ends_.end() : std::prev(next);
  if ((next != ends_.end() && next->first < end) || (previous != ends_.end() && previous->second > first))
    throw InvalidArgument("rows " + std::to_string(first) + " to " + std::to_string(end - 1) +
                          " were given in part before; every row is written once");
  if (next != ends_.end() && next->first == end) {
    end = next->second;
    ends_.erase(next);
  }
  if (previous != ends_.end() && previous->second == first)
    previous->second = end;
  else
    ends_.emplace(first, end);
}

void RowRanges::expect_all(std::uint64_t rows) const {
  if (rows == 0) return;
  std::uint64_t missing_first = 0, missing_end = rows;
  if (auto range = ends_.begin(); range != ends_.end()) {
    if (range->first > 0) {
      missing_end = range->first;
    } else {
      if (range->second >= rows) return;
      missing_first = range->second;
      if (++range != ends_.end()) missing_end = range->first;
    }
  }
  throw InvalidArgument("rows " + std::to_string(missing_first) + " to " + std::to_string(missing_end - 1) + " of " + std::to_string(rows) +
                        " were never written; every row is needed before the file is finished");
}

}  // namespace tuile::write
