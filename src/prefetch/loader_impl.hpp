#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <thread>
#include <unordered_map>
#include <vector>

#include "prefetch/tile_cache.hpp"
#include "tuile/core/mutex.hpp"
#include "tuile/prefetch/async_tile_loader.hpp"

namespace tuile::prefetch {

using Clock = std::chrono::steady_clock;

/// One load, from its asking to its end; shared by the I/O thread that runs it and the callers that wait for it.
/// All members but the request are guarded by SharedCache::mutex.
struct Load {
  using Queue = std::list<std::shared_ptr<Load>>;
  enum class State { queued, running, done };

  explicit Load(TileRequest asked) : request(std::move(asked)) {}

  const TileRequest request;
  State state = State::queued;
  Clock::time_point begun;   ///< while it runs
  bool released = false;     ///< running, and nobody wants its tile any more
  bool wanted = false;       ///< a caller asked for it: in the queue `wanted`, else in `preloads`
  Queue::iterator position;  ///< in its queue, while queued
  std::size_t reserved = 0;  ///< bytes counted for it while it runs
  std::size_t waiters = 0;   ///< callers that will take its outcome
  StoppableCondition finished;
  TileHandle handle;  ///< the outcome, where there are waiters; the last one takes it with it, so that it is not freed under the mutex
  std::exception_ptr error;  ///< or this, likewise
};

/// The outcome of running a load function, retries included.
struct LoadOutcome {
  std::shared_ptr<ResidentTile> tile;
  std::exception_ptr error;
  double seconds = 0;
};

struct AsyncTileLoader::Impl {
  Impl(LoaderOptions chosen, LoadFunction function);

  void preload(TileRequest request);
  TileHandle get(const TileRequest& request, std::optional<std::chrono::duration<double>> timeout, std::stop_token stop = {});
  bool ready(const TileRequest& request) const;
  void release(const TileRequest& request);
  void set_workers(int workers);
  void clear_cache();
  LoaderStatistics statistics() const;
  void shutdown();

  // Constant after construction.
  const LoaderOptions options;
  const LoadFunction load_function;
  const std::shared_ptr<SharedCache> shared;
  std::stop_source stop_source;

  bool stopped GUARDED_BY(shared->mutex) = false;
  std::size_t workers GUARDED_BY(shared->mutex);      ///< loads that may run at once, where threads run them
  std::size_t running GUARDED_BY(shared->mutex) = 0;  ///< loads in their load function
  std::size_t callers GUARDED_BY(shared->mutex) = 0;  ///< threads inside get
  std::unordered_map<TileRequest, std::shared_ptr<Load>, RequestHash> loads GUARDED_BY(shared->mutex);  ///< queued or running
  std::unordered_map<TileRequest, std::exception_ptr, RequestHash> errors
      GUARDED_BY(shared->mutex);                   ///< of finished loads that nobody waited for
  Load::Queue wanted GUARDED_BY(shared->mutex);    ///< queued, a caller waits or waited: first come, first served, whatever the budget
  Load::Queue preloads GUARDED_BY(shared->mutex);  ///< queued, waiting for room
  std::uint64_t loaded_bytes GUARDED_BY(shared->mutex) = 0;
  LoaderStatistics counts GUARDED_BY(shared->mutex);  ///< without what the cache knows
  std::minstd_rand random GUARDED_BY(shared->mutex);
  Condition retry;  ///< waits between two attempts: only the end is announced
  Condition left;   ///< a caller has left get after the end

  Mutex join_mutex;  ///< taken before shared->mutex
  std::vector<std::jthread> threads GUARDED_BY(join_mutex);

 private:
  void work();
  std::shared_ptr<Load> enqueue(const TileRequest& request, bool is_wanted) REQUIRES(shared->mutex);
  void promote(Load& load) REQUIRES(shared->mutex);
  std::size_t estimate() const noexcept REQUIRES(shared->mutex);
  bool can_start() const noexcept REQUIRES(shared->mutex);
  /// Unlocks while it works.
  void run(const std::shared_ptr<Load>& load, const std::stop_token& stop) REQUIRES(shared->mutex);
  /// Takes the error.
  TileCache::Tiles finish(Load& load, LoadOutcome& outcome) REQUIRES(shared->mutex);
  LoadOutcome execute(const TileRequest& request, const std::stop_token& stop) EXCLUDES(shared->mutex);
  bool wait_before_retry(int attempt) EXCLUDES(shared->mutex);
};

}  // namespace tuile::prefetch
