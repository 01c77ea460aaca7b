#pragma once

#include <chrono>

#include "tuile/core/mutex.hpp"

namespace tuile::pipeline {

/// Wall time during which at least one of several threads was busy, and during which none was. Thread-safe.
class BusyClock {
 public:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;

  explicit BusyClock(Time start = Clock::now()) : start_(start) {}

  void enter(Time now = Clock::now()) {
    const MutexLock lock(mutex_);
    if (busy_threads_++ == 0) since_ = now;
  }
  void leave(Time now = Clock::now()) {
    const MutexLock lock(mutex_);
    if (--busy_threads_ == 0) busy_ += seconds(since_, now);
  }

  /// Seconds since the start.
  double busy(Time now = Clock::now()) const {
    const MutexLock lock(mutex_);
    return busy_ + (busy_threads_ > 0 ? seconds(since_, now) : 0);
  }
  double idle(Time now = Clock::now()) const { return seconds(start_, now) - busy(now); }

 private:
  static double seconds(Time from, Time to) { return std::chrono::duration<double>(to - from).count(); }

  const Time start_;
  mutable Mutex mutex_;
  int busy_threads_ GUARDED_BY(mutex_) = 0;
  Time since_ GUARDED_BY(mutex_);       ///< when the first of them began
  double busy_ GUARDED_BY(mutex_) = 0;  ///< of stretches that have ended
};

}  // namespace tuile::pipeline
