#include "source/http_wait.hpp"

#include <algorithm>
#include <string>

#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::source {

Clock::duration from_seconds(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::clamp(seconds, 0.0, 3.0e9)));
}

void throw_if_stopped(const std::stop_token& stop, const char* what) {
  if (stop.stop_requested()) throw Cancelled(std::string("stopped while waiting for ") + what);
}

void wait_until(Clock::time_point until, const std::stop_token& stop, const char* what) {
  throw_if_stopped(stop, what);
  if (until <= Clock::now()) return;
  Mutex mutex;
  StoppableCondition never;
  MutexLock lock(mutex);
  never.wait_until(lock, stop, until, [] { return false; });
  throw_if_stopped(stop, what);
}

Places::Place Places::take(const std::stop_token& stop) {
  MutexLock lock(mutex_);
  if (!changed_.wait(lock, stop, [this]() REQUIRES(mutex_) { return free_ > 0; }))
    throw Cancelled("stopped while waiting for other requests to end");
  free_ -= 1;
  return Place(*this);
}

void Places::leave() {
  {
    const MutexLock lock(mutex_);
    free_ += 1;
  }
  changed_.notify_one();
}

}  // namespace tuile::source
