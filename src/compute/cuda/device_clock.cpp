#include "compute/cuda/device_clock.hpp"

#include <cmath>
#include <string_view>
#include <utility>

#include "compute/cuda/cuda_error.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::compute::cuda {

namespace {

std::int64_t nanoseconds_between(cudaEvent_t from, cudaEvent_t to) {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, from, to), "reading the time of an event");
  return std::llround(static_cast<double>(milliseconds) * 1e6);
}

}  // namespace

DeviceClock::DeviceClock(int device, std::function<void(const DeviceSpan&)> on_span) : device_(device), on_span_(std::move(on_span)) {
  pass(events_[base_]);
  start_ = Clock::now();
}

void DeviceClock::pass(const Event& event) {
  check(cudaEventRecord(event.get(), stream_.get()), "recording an event");
  check(cudaEventSynchronize(event.get()), "waiting for an event");
}

void DeviceClock::add(const char* what, cudaEvent_t begin, cudaEvent_t end) {
  DeviceSpan span{device_, what, {}, {}};
  {
    const MutexLock lock(mutex_);
    const std::int64_t from = base_ns_ + nanoseconds_between(events_[base_].get(), begin), to = from + nanoseconds_between(begin, end);
    if (std::string_view(what) == "compute") busy_.add(from, to);
    span.begin = start_ + std::chrono::nanoseconds(from);
    span.end = start_ + std::chrono::nanoseconds(to);
    if (to - base_ns_ > rebase_after) rebase();
  }
  if (on_span_) on_span_(span);
}

void DeviceClock::rebase() {
  const int next = 1 - base_;
  pass(events_[next]);
  base_ns_ += nanoseconds_between(events_[base_].get(), events_[next].get());
  base_ = next;
}

double DeviceClock::busy_seconds() const {
  const MutexLock lock(mutex_);
  return static_cast<double>(busy_.length()) * 1e-9;
}

}  // namespace tuile::compute::cuda
