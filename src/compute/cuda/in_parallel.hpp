#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

#include "tuile/core/mutex.hpp"

namespace tuile::compute::cuda {

/// Calls body(i) once for each i in [0, count), on this thread and up to workers - 1 others, which mostly wait for devices: computing is
/// the executor's. Returns when all are done. The first exception stops further calls and is rethrown here.
template <class Body>
void in_parallel(std::size_t count, std::size_t workers, Body&& body) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  Guarded<std::exception_ptr> error;
  const auto work = [&] {
    while (!failed) {
      const std::size_t i = next++;
      if (i >= count) return;
      try {
        body(i);
      } catch (...) {
        error.with([](std::exception_ptr& first) {
          if (!first) first = std::current_exception();
        });
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
  if (const std::exception_ptr first = error.take()) std::rethrow_exception(first);
}

}  // namespace tuile::compute::cuda
