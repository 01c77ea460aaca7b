#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

// What clang's -Wthread-safety reads (https://clang.llvm.org/docs/ThreadSafetyAnalysis.html); nothing to any other compiler.
// `make thread-safety` checks it.
#if defined(__clang__)
#define TUILE_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define TUILE_THREAD_ANNOTATION(x)
#endif
#ifndef GUARDED_BY
/// A member that is touched with this mutex held only.
#define GUARDED_BY(x) TUILE_THREAD_ANNOTATION(guarded_by(x))
#endif
#ifndef REQUIRES
/// A function, or a lambda, that is called with these mutexes held, and leaves them so.
#define REQUIRES(...) TUILE_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#endif
#ifndef EXCLUDES
/// A function that takes these mutexes itself.
#define EXCLUDES(...) TUILE_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#endif
#ifndef NO_THREAD_SAFETY_ANALYSIS
/// A function that the analysis does not understand.
#define NO_THREAD_SAFETY_ANALYSIS TUILE_THREAD_ANNOTATION(no_thread_safety_analysis)
#endif
#ifndef ACQUIRED_AFTER
/// A mutex that is taken after these, where both are.
#define ACQUIRED_AFTER(...) TUILE_THREAD_ANNOTATION(acquired_after(__VA_ARGS__))
#endif

namespace tuile {

/// std::mutex, known to clang's analysis.
class TUILE_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() TUILE_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void unlock() TUILE_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  friend class MutexLock;
  std::mutex mutex_;
};

/// Holds a mutex for its life, but for what lies between unlock() and lock().
class TUILE_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) TUILE_THREAD_ANNOTATION(acquire_capability(mutex)) : lock_(mutex.mutex_) {}
  ~MutexLock() TUILE_THREAD_ANNOTATION(release_capability()) {}
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void lock() TUILE_THREAD_ANNOTATION(acquire_capability()) { lock_.lock(); }
  void unlock() TUILE_THREAD_ANNOTATION(release_capability()) { lock_.unlock(); }

 private:
  friend class Condition;
  friend class StoppableCondition;
  std::unique_lock<std::mutex> lock_;
};

/// Gives a mutex, which the caller holds, to others for its life; exceptions, too, leave with the mutex held again.
class TUILE_THREAD_ANNOTATION(scoped_lockable) MutexUnlock {
 public:
  explicit MutexUnlock(Mutex& mutex) TUILE_THREAD_ANNOTATION(release_capability(mutex)) : mutex_(mutex) { mutex_.unlock(); }
  ~MutexUnlock() TUILE_THREAD_ANNOTATION(release_capability()) { mutex_.lock(); }
  MutexUnlock(const MutexUnlock&) = delete;
  MutexUnlock& operator=(const MutexUnlock&) = delete;

 private:
  Mutex& mutex_;
};

/// std::condition_variable. A predicate that reads guarded members says so: [&]() REQUIRES(mutex_) { return … }.
class Condition {
 public:
  template <class Predicate>
  void wait(MutexLock& lock, Predicate&& predicate) {
    condition_.wait(lock.lock_, std::forward<Predicate>(predicate));
  }
  template <class Duration, class Predicate>
  bool wait_for(MutexLock& lock, const Duration& longest, Predicate&& predicate) {
    return condition_.wait_for(lock.lock_, longest, std::forward<Predicate>(predicate));
  }
  template <class Time, class Predicate>
  bool wait_until(MutexLock& lock, const Time& deadline, Predicate&& predicate) {
    return condition_.wait_until(lock.lock_, deadline, std::forward<Predicate>(predicate));
  }
  void notify_one() noexcept { condition_.notify_one(); }
  void notify_all() noexcept { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

/// std::condition_variable_any, whose waits end with a stop request, too.
class StoppableCondition {
 public:
  template <class Predicate>
  void wait(MutexLock& lock, Predicate&& predicate) {
    condition_.wait(lock.lock_, std::forward<Predicate>(predicate));
  }
  /// These return what the predicate says at the end.
  template <class Predicate>
  bool wait(MutexLock& lock, std::stop_token stop, Predicate&& predicate) {
    return condition_.wait(lock.lock_, std::move(stop), std::forward<Predicate>(predicate));
  }
  template <class Duration, class Predicate>
  bool wait_for(MutexLock& lock, std::stop_token stop, const Duration& longest, Predicate&& predicate) {
    return condition_.wait_for(lock.lock_, std::move(stop), longest, std::forward<Predicate>(predicate));
  }
  template <class Time, class Predicate>
  bool wait_until(MutexLock& lock, std::stop_token stop, const Time& deadline, Predicate&& predicate) {
    return condition_.wait_until(lock.lock_, std::move(stop), deadline, std::forward<Predicate>(predicate));
  }
  void notify_one() noexcept { condition_.notify_one(); }
  void notify_all() noexcept { condition_.notify_all(); }

 private:
  std::condition_variable_any condition_;
};

/// A value and its mutex in one, for locals that several tasks fill: nothing reaches the value but under the mutex.
template <class T>
class Guarded {
 public:
  /// What `change`(T&) returns.
  template <class Change>
  decltype(auto) with(Change&& change) {
    const MutexLock lock(mutex_);
    return std::forward<Change>(change)(value_);
  }
  T take() {
    const MutexLock lock(mutex_);
    return std::move(value_);
  }

 private:
  Mutex mutex_;
  T value_ GUARDED_BY(mutex_){};
};

}  // namespace tuile
