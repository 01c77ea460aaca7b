#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace tuile::python {

namespace detail {
/// Runs `work` without the GIL: on Python's main thread on a thread of its own, so that Ctrl-C is heard within 50 ms and requests the stop;
/// elsewhere in here. Throws what the signal's handler raised, once the work has ended. `work` must not throw.
void run_interruptibly(const std::function<void(std::stop_token)>& work);
}  // namespace detail

/// work(stop): without the GIL, and so that Ctrl-C ends it soon. Returns or throws what it does; KeyboardInterrupt after Ctrl-C. Work that
/// calls Python takes the GIL itself (py::gil_scoped_acquire). To be called with the GIL. Throws Unsupported in the child of a fork whose
/// parent has used tuile's threads before: they do not exist there.
template <class Work>
auto interruptible(Work&& work) {
  using Result = std::invoke_result_t<Work&, std::stop_token>;
  std::exception_ptr error;
  if constexpr (std::is_void_v<Result>) {
    detail::run_interruptibly([&](std::stop_token stop) {
      try {
        work(std::move(stop));
      } catch (...) {
        error = std::current_exception();
      }
    });
    if (error) std::rethrow_exception(error);
  } else {
    std::optional<Result> result;
    detail::run_interruptibly([&](std::stop_token stop) {
      try {
        result.emplace(work(std::move(stop)));
      } catch (...) {
        error = std::current_exception();
      }
    });
    if (error) std::rethrow_exception(error);
    return std::move(*result);
  }
}

}  // namespace tuile::python
