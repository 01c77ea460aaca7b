#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "tuile/source/byte_source.hpp"

namespace tuile::source {

/// Counts what the reads of a source cost. Thread-safe.
class TrafficMeter {
 public:
  /// Counts its lifetime as waiting.
  class Timer {
   public:
    explicit Timer(TrafficMeter& meter) noexcept : meter_(meter), begin_(std::chrono::steady_clock::now()) {}
    ~Timer() {
      const auto waited = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin_);
      meter_.nanoseconds_.fetch_add(waited.count(), std::memory_order_relaxed);
    }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

   private:
    TrafficMeter& meter_;
    const std::chrono::steady_clock::time_point begin_;
  };

  void add(std::uint64_t bytes) noexcept { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  Traffic traffic() const noexcept {
    return {bytes_.load(std::memory_order_relaxed), 1e-9 * static_cast<double>(nanoseconds_.load(std::memory_order_relaxed))};
  }

 private:
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::int64_t> nanoseconds_{0};
};

}  // namespace tuile::source
