#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace tuile::compute::cuda {

/// Calls body(i) once for each i in [0, count), on this thread and up to workers - 1 others, which mostly wait for devices: computing is
/// the executor's. Returns when all are done. The first exception stops further calls and is rethrown here.
template <class Body>
void in_parallel(std::size_t count, std::size_t workers, Body&& body) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::exception_ptr error;
  const auto work = [&] {
    while (!failed) {
      const std::size_t i = next++;
      if (i >= count) return;
      try {
        body(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (error == nullptr) error = std::current_exception();
        failed = true;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    try {
      for (std::size_t t = 1; t < std::min(workers, count); ++t) threads.emplace_back(work);
    } catch (const std::system_error&) {
      // Fewer threads do the same work.
    }
    work();
  }
  if (error != nullptr) std::rethrow_exception(error);
}

}  // namespace tuile::compute::cuda
