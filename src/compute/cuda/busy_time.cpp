#include "compute/cuda/busy_time.hpp"

#include <algorithm>
#include <iterator>

namespace tuile::compute::cuda {

void BusyTime::add(std::int64_t begin, std::int64_t end) {
  if (end <= begin) return;
  auto next = intervals_.upper_bound(begin);
  if (next != intervals_.begin() && std::prev(next)->second >= begin) --next;
  while (next != intervals_.end() && next->first <= end) {
    begin = std::min(begin, next->first);
    end = std::max(end, next->second);
    length_ -= next->second - next->first;
    next = intervals_.erase(next);
  }
  intervals_.emplace_hint(next, begin, end);
  length_ += end - begin;
  if (intervals_.size() > most) intervals_.erase(intervals_.begin());
}

}  // namespace tuile::compute::cuda
