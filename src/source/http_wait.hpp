#pragma once

#include <chrono>
#include <stop_token>

#include "tuile/core/mutex.hpp"

namespace tuile::source {

using Clock = std::chrono::steady_clock;

/// Seconds as the clock counts them; those beyond a century become one, so that sums with a time stay in range.
Clock::duration from_seconds(double seconds);

/// Returns at `until`. Throws Cancelled on a stop request; `what` says in its message what was waited for.
void wait_until(Clock::time_point until, const std::stop_token& stop, const char* what);

/// Throws Cancelled where a stop was requested.
void throw_if_stopped(const std::stop_token& stop, const char* what);

/// So many places, each held by one request.
class Places {
 public:
  explicit Places(int count) : free_(count) {}

  class Place {
   public:
    explicit Place(Places& places) : places_(places) {}
    ~Place() { places_.leave(); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    Places& places_;
  };

  /// Waits for a place. Throws Cancelled.
  Place take(const std::stop_token& stop);

 private:
  void leave();

  Mutex mutex_;
  StoppableCondition changed_;
  int free_ GUARDED_BY(mutex_);
};

}  // namespace tuile::source
