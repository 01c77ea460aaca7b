#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace tuile {

/// The one place where parallel loops run: a pool of `threads()` computing threads shared by decoding, features and writing,
/// so that they never oversubscribe the machine. A oneTBB arena, or plain threads in the tsan preset (TBB's own synchronisation
/// is invisible to ThreadSanitizer). Starts no thread before first use. Thread-safe; loops may nest.
class Executor {
 public:
  /// threads: computing threads; 0: one per processor that this process may use (affinity and cgroup quota).
  explicit Executor(int threads = 0);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  int threads() const noexcept { return threads_; }

  /// Calls body(i) once for each i in [0, count), in any order and in parallel; returns when all are done.
  /// The items should be coarse (10 µs or more). The first exception stops further items and is rethrown here.
  void for_each(std::size_t count, const std::function<void(std::size_t)>& body);

 private:
  struct Impl;
  int threads_;
  std::unique_ptr<Impl> impl_;
};

/// Processors that this process may use: the smaller of the affinity mask and the cgroup quota (rounded up), at least 1.
int available_processors();

/// Memory in bytes that this process may use: the smaller of the machine's and the cgroup limit.
std::size_t available_memory();

}  // namespace tuile
