// The executor of the tsan preset: plain threads, whose synchronisation ThreadSanitizer understands.
#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

#include "tuile/core/error.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile {

struct Executor::Impl {};

Executor::Executor(int threads) : threads_(threads > 0 ? threads : available_processors()), impl_(std::make_unique<Impl>()) {
  if (threads < 0) throw InvalidArgument("threads is " + std::to_string(threads) + "; 0 (automatic) or more is expected");
}
Executor::~Executor() = default;

void Executor::for_each(std::size_t count, const std::function<void(std::size_t)>& body) {
  std::atomic<std::size_t> next{0};
  Guarded<std::exception_ptr> error;
  const auto work = [&] {
    for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
      try {
        body(i);
      } catch (...) {
        error.with([](std::exception_ptr& first) {
          if (!first) first = std::current_exception();
        });
        next.store(count);
      }
    }
  };
  const std::size_t helpers = std::min(count, static_cast<std::size_t>(threads_)) - (count > 0 ? 1 : 0);
  std::vector<std::jthread> pool;
  pool.reserve(helpers);
  for (std::size_t t = 0; t < helpers; ++t) pool.emplace_back(work);
  work();
  pool.clear();
  if (const std::exception_ptr first = error.take()) std::rethrow_exception(first);
}

}  // namespace tuile
