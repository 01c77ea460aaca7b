#include "prefetch/background_fetch.hpp"

#include <exception>
#include <list>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::prefetch {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int most_threads = 1024;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

/// All members are guarded by the mutex of the core; but `work` is called, and freed, without it, by whoever set the state to running or
/// done.
struct BackgroundFetch::Task {
  using Queue = std::list<std::shared_ptr<Task>>;
  enum class State { queued, running, done };
  explicit Task(Work chosen) : work(std::move(chosen)) {}

  Work work;
  State state = State::queued;
  Queue::iterator position;  ///< in the queue, while queued
  std::exception_ptr error;  ///< freed with the task, by whoever holds it last: never under the eyes of somebody who reads it
  StoppableCondition changed;
};

struct BackgroundFetch::Core {
  explicit Core(bool with_threads) : has_threads(with_threads) {}

  // Constant after construction.
  const bool has_threads;
  std::stop_source stop_source;

  mutable Mutex mutex;
  Condition arrived;  ///< the threads wait here: for a task, or the end
  bool stopped GUARDED_BY(mutex) = false;
  Task::Queue queue GUARDED_BY(mutex);
  BackgroundStatistics counts GUARDED_BY(mutex);

  /// Runs a task that is queued. `own_stop`: of the caller in whose thread it runs, where that may end it. Unlocks while it works.
  void run(const std::shared_ptr<Task>& task, const std::stop_token* own_stop) REQUIRES(mutex) {
    Task::Queue place;
    place.splice(place.begin(), queue, task->position);
    task->state = Task::State::running;
    std::exception_ptr error;
    bool is_callers_end = false;
    const double seconds = work(*task, own_stop, error, is_callers_end);
    counts.busy_seconds += seconds;
    if (is_callers_end && !stopped) {
      queue.splice(queue.begin(), place);
      task->state = Task::State::queued;
      task->changed.notify_all();
      std::rethrow_exception(std::move(error));
    }
    ++counts.finished;
    if (error) ++counts.failed;
    end(*task, std::move(error));
    const MutexUnlock unlocked(mutex);
    task->work = nullptr;
  }

  /// The task's work alone: how long it took, what it ended with, and whether the caller's stop was its end.
  double work(const Task& task, const std::stop_token* own_stop, std::exception_ptr& error, bool& is_callers_end) REQUIRES(mutex) {
    const MutexUnlock unlocked(mutex);
    const Clock::time_point start = Clock::now();
    bool was_cancelled = false;
    try {
      if (own_stop == nullptr) {
        task.work(stop_source.get_token());
      } else {
        std::stop_source either;
        const auto forward = [&either] { either.request_stop(); };
        const std::stop_callback by_caller(*own_stop, forward);
        const std::stop_callback by_pool(stop_source.get_token(), forward);
        task.work(either.get_token());
      }
    } catch (const Cancelled&) {
      was_cancelled = true;
      error = std::current_exception();
    } catch (...) {
      error = std::current_exception();
    }
    is_callers_end = was_cancelled && own_stop != nullptr && own_stop->stop_requested();
    return seconds_since(start);
  }

  void end(Task& task, std::exception_ptr error) noexcept REQUIRES(mutex) {
    task.state = Task::State::done;
    task.error = std::move(error);
    task.changed.notify_all();
  }

  /// Ends a task that has not begun, at the end of the pool.
  void cancel(Task& task) REQUIRES(mutex) {
    ++counts.cancelled;
    end(task, std::make_exception_ptr(Cancelled("the background fetch ended before this task began")));
  }
};

/// What the copies of a ticket share; the task alone is shared with the pool.
struct BackgroundFetch::Claim {
  Claim(std::shared_ptr<Core> of, std::shared_ptr<Task> claimed) : core(std::move(of)), task(std::move(claimed)) {}
  ~Claim() {
    {
      const MutexLock lock(core->mutex);
      if (task->state != Task::State::queued) return;
      core->queue.erase(task->position);
      task->state = Task::State::done;
      ++core->counts.cancelled;
    }
    task->work = nullptr;
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  const std::shared_ptr<Core> core;
  const std::shared_ptr<Task> task;
};

struct BackgroundFetch::Threads {
  Mutex mutex;  ///< taken before the core's
  std::vector<std::jthread> threads GUARDED_BY(mutex);

  static void work(Core& core) {
    MutexLock lock(core.mutex);
    for (;;) {
      core.arrived.wait(lock, [&]() REQUIRES(core.mutex) { return core.stopped || !core.queue.empty(); });
      if (core.stopped) return;
      const std::shared_ptr<Task> task = core.queue.front();
      core.run(task, nullptr);
    }
  }
};

bool BackgroundFetch::Ticket::ready() const {
  const MutexLock lock(claim_->core->mutex);
  return claim_->task->state == Task::State::done;
}

void BackgroundFetch::Ticket::wait(std::stop_token stop, Deadline deadline) const {
  Core& core = *claim_->core;
  const std::shared_ptr<Task>& task = claim_->task;
  const Clock::time_point start = Clock::now();
  struct CountWait {
    Core& core;
    Clock::time_point start;
    ~CountWait() {
      const double seconds = seconds_since(start);
      const MutexLock lock(core.mutex);
      core.counts.waited_seconds += seconds;
    }
  } const count_wait{core, start};

  MutexLock lock(core.mutex);
  const auto is_over = [&] { return task->state == Task::State::done || (!core.has_threads && task->state == Task::State::queued); };
  bool over = false;
  if (deadline) {
    over = task->changed.wait_until(lock, stop, *deadline, is_over);
  } else {
    over = task->changed.wait(lock, stop, is_over);
  }
  if (!over && stop.stop_requested()) throw Cancelled("stopped while waiting for a background fetch");
  if (!over) throw TimeoutError("a background fetch did not end before the deadline; it goes on and can be waited for again");
  if (task->state == Task::State::queued) core.run(task, &stop);
  const std::exception_ptr error = task->error;
  lock.unlock();
  if (error) std::rethrow_exception(error);
}

BackgroundFetch::BackgroundFetch(int threads) : threads_(std::make_unique<Threads>()) {
  if (threads < 0 || threads > most_threads)
    throw InvalidArgument("a background fetch with " + std::to_string(threads) + " threads was asked for; 0 to " +
                          std::to_string(most_threads) + " are possible");
  core_ = std::make_shared<Core>(threads > 0);
  try {
    for (int i = 0; i < threads; ++i) threads_->threads.emplace_back([core = core_] { Threads::work(*core); });
  } catch (...) {
    shutdown();
    throw;
  }
}

BackgroundFetch::~BackgroundFetch() { shutdown(); }

BackgroundFetch::Ticket BackgroundFetch::submit(Work work) {
  const auto task = std::make_shared<Task>(std::move(work));
  Task::Queue place{task};
  auto claim = std::make_shared<Claim>(core_, task);
  const MutexLock lock(core_->mutex);
  ++core_->counts.submitted;
  if (core_->stopped) {
    core_->cancel(*task);
  } else {
    task->position = place.begin();
    core_->queue.splice(core_->queue.end(), place);
    core_->arrived.notify_one();
  }
  return Ticket(std::move(claim));
}

void BackgroundFetch::shutdown() {
  const MutexLock joining(threads_->mutex);
  Task::Queue dropped;
  {
    const MutexLock lock(core_->mutex);
    core_->stopped = true;
    dropped.swap(core_->queue);
    for (const std::shared_ptr<Task>& task : dropped) core_->cancel(*task);
    core_->arrived.notify_all();
  }
  for (const std::shared_ptr<Task>& task : dropped) task->work = nullptr;
  core_->stop_source.request_stop();
  threads_->threads.clear();
}

BackgroundStatistics BackgroundFetch::statistics() const {
  const MutexLock lock(core_->mutex);
  return core_->counts;
}

}  // namespace tuile::prefetch
