#include "source/http_wait.hpp"

#include <algorithm>
#include <string>

#include "tuile/core/error.hpp"

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
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_until(lock, stop, until, [] { return false; });
  throw_if_stopped(stop, what);
}

Places::Place Places::take(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait(lock, stop, [this] { return free_ > 0; })) throw Cancelled("stopped while waiting for other requests to end");
  free_ -= 1;
  return Place(*this);
}

void Places::leave() {
  {
    const std::lock_guard lock(mutex_);
    free_ += 1;
  }
  changed_.notify_one();
}

}  // namespace tuile::source
