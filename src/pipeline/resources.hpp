#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "tuile/pipeline/run_summary.hpp"

namespace tuile::pipeline {

/// Time used since construction: wall time, and CPU time of all threads of the process.
class ResourceUsage {
 public:
  ResourceUsage();
  double wall_seconds() const;
  double cpu_seconds() const;

 private:
  std::chrono::steady_clock::time_point start_;
  double cpu_at_start_;
};

/// Highest resident memory of the process so far, bytes.
std::uint64_t peak_resident_bytes();

/// Anonymous resident memory of the process now (RssAnon), bytes; 0 where the system does not tell.
std::uint64_t anonymous_bytes();

/// Samples anonymous_bytes() fifty times a second for its lifetime: the system keeps no peak of it.
class AnonymousPeak {
 public:
  AnonymousPeak();
  std::uint64_t peak() const noexcept { return peak_; }

 private:
  std::atomic<std::uint64_t> peak_;
  std::jthread thread_;  ///< the last member: it ends before the others
};

/// Writes the summary to FOLDER/run-<id>.json; id: UTC time, host and process. Throws IoError, PermissionDenied.
void save_run_report(const RunSummary& summary, const std::string& folder);

}  // namespace tuile::pipeline
