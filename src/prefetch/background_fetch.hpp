#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

namespace tuile::prefetch {

/// Exact counts since construction (a consistent snapshot).
struct BackgroundStatistics {
  std::uint64_t submitted = 0;
  std::uint64_t finished = 0;   ///< ran to their end, well or not
  std::uint64_t failed = 0;     ///< of these: with an exception
  std::uint64_t cancelled = 0;  ///< taken back before they began, or never begun at the end
  double busy_seconds = 0;      ///< sum over runs of the time in the work
  double waited_seconds = 0;    ///< sum over waits of the time the caller was held
};

/// Threads for waiting work that is no tile's decode: ground truth and imagery come from services that take their time, and go on beside
/// the decode. Tasks begin in the order they were submitted in. Thread-safe.
class BackgroundFetch {
  struct Task;
  struct Core;
  struct Claim;

 public:
  /// What a task does; it should end soon after a stop request (the end of the pool) by throwing Cancelled. It must not wait for tickets of
  /// its own pool.
  using Work = std::function<void(std::stop_token)>;
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;

  /// A task that was submitted. Copyable; when the last copy goes before the task began, it never begins (one that runs goes on). May
  /// outlive the pool. Thread-safe, as far as a single object is not assigned to.
  class Ticket {
   public:
    /// True once the task ended, well or not, or was cancelled.
    bool ready() const;
    /// Returns once the task has ended; throws what it threw. Without threads the task runs in here, with the caller's stop as well: if
    /// that ends it, the task is as if not begun, for whoever waits next. Throws Cancelled (by `stop`; at the end of the pool),
    /// TimeoutError
    /// (`deadline` passed; it bounds waiting only, not a run in here). After either by the caller's own doing the task goes on.
    void wait(std::stop_token stop, Deadline deadline = std::nullopt) const;

   private:
    friend class BackgroundFetch;
    explicit Ticket(std::shared_ptr<Claim> claim) : claim_(std::move(claim)) {}
    std::shared_ptr<Claim> claim_;
  };

  /// threads: how many tasks run at once, at most 1024; 0: tasks run in wait(), one after the other (the sequential baseline).
  /// Throws InvalidArgument. Starts the threads.
  explicit BackgroundFetch(int threads);
  /// Cancels what has not begun, asks what runs to stop, wakes all waiters and joins.
  ~BackgroundFetch();
  BackgroundFetch(const BackgroundFetch&) = delete;
  BackgroundFetch& operator=(const BackgroundFetch&) = delete;

  /// Returns at once. After shutdown() the ticket is that of a cancelled task.
  Ticket submit(Work work);
  /// As the destructor. Idempotent, thread-safe. Not to be called by a task.
  void shutdown();
  BackgroundStatistics statistics() const;

 private:
  struct Threads;
  std::shared_ptr<Core> core_;  ///< shared with tickets, which may outlive the pool
  std::unique_ptr<Threads> threads_;
};

}  // namespace tuile::prefetch
