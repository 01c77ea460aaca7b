#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tuile/core/mutex.hpp"

namespace tuile::pipeline {

/// What ran when, as Chrome trace events: opens in Perfetto or chrome://tracing. Thread-safe.
class Trace {
 public:
  using Clock = std::chrono::steady_clock;
  Trace() : start_(Clock::now()) {}

  /// A piece of work of the calling thread. `stage` is "load", "compute", "label" or "write"; `tile` says of what.
  void add(const char* stage, const std::string& tile, Clock::time_point begin, Clock::time_point end);

  /// A stretch of a device's time, in a row of its own. `what` is "upload", "compute" or "download".
  void add_device(int device, const char* what, Clock::time_point begin, Clock::time_point end);

  /// Writes the JSON file. Throws IoError, PermissionDenied.
  void save(const std::string& path) const;

 private:
  struct Event {
    const char* stage;
    std::string tile;
    double begin_us, duration_us;
    int thread;
    std::string row = {};  ///< of a device: the name of its row
  };
  const Clock::time_point start_;
  mutable Mutex mutex_;
  std::vector<Event> events_ GUARDED_BY(mutex_);
};

/// Adds the time from its construction to its destruction to a trace, where there is one.
class TraceSpan {
 public:
  TraceSpan(Trace* trace, const char* stage, std::string tile)
      : trace_(trace), stage_(stage), tile_(std::move(tile)), begin_(Trace::Clock::now()) {}
  ~TraceSpan() {
    if (trace_ != nullptr) trace_->add(stage_, tile_, begin_, Trace::Clock::now());
  }
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;
  double seconds() const { return std::chrono::duration<double>(Trace::Clock::now() - begin_).count(); }

 private:
  Trace* trace_;
  const char* stage_;
  std::string tile_;
  Trace::Clock::time_point begin_;
};

}  // namespace tuile::pipeline
