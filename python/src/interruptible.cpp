#include "interruptible.hpp"

#include <pthread.h>
#include <pybind11/pybind11.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"

namespace py = pybind11;

namespace tuile::python {

namespace {

/// Threads do not survive a fork. Whether this process is the child of one that had them.
class ForkGuard {
 public:
  static void enter() {
    static const int registered = pthread_atfork(nullptr, nullptr, [] { orphaned_ = used_.load(); });
    static_cast<void>(registered);
    if (orphaned_) {
      throw Unsupported(
          "tuile was used before this process was forked, and its threads do not exist in here; fork first (make loaders, processors and "
          "datasets in the child), or start processes with multiprocessing's method 'spawn' or 'forkserver'");
    }
    used_ = true;
  }

 private:
  static inline std::atomic<bool> used_{false}, orphaned_{false};
};

bool on_main_thread() {
  const py::module_ threading = py::module_::import("threading");
  return threading.attr("get_ident")().equal(threading.attr("main_thread")().attr("ident"));
}

}  // namespace

namespace detail {

void run_interruptibly(const std::function<void(std::stop_token)>& work) {
  ForkGuard::enter();
  if (!on_main_thread()) {
    const py::gil_scoped_release released;
    work({});
    return;
  }
  struct {
    Mutex mutex;
    Condition changed;
    bool done GUARDED_BY(mutex) = false;
  } end;
  bool raised = false;
  {
    const py::gil_scoped_release released;
    std::jthread thread([&](std::stop_token stop) {
      work(std::move(stop));
      const MutexLock lock(end.mutex);
      end.done = true;
      end.changed.notify_one();
    });
    MutexLock lock(end.mutex);
    while (!end.changed.wait_for(lock, std::chrono::milliseconds(50), [&]() REQUIRES(end.mutex) { return end.done; })) {
      if (raised) continue;
      lock.unlock();
      {
        const py::gil_scoped_acquire held;
        raised = PyErr_CheckSignals() != 0;
        // Kept until the work has ended: other Python code may run on this thread's behalf no more.
      }
      if (raised) thread.request_stop();
      lock.lock();
    }
  }
  if (raised) throw py::error_already_set();
}

}  // namespace detail

}  // namespace tuile::python
