#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <thread>
#include <unordered_map>
#include <vector>

#include "prefetch/tile_cache.hpp"
#include "tuile/prefetch/async_tile_loader.hpp"

namespace tuile::prefetch {

using Clock = std::chrono::steady_clock;

/// One load, from its asking to its end; shared by the I/O thread that runs it and the callers that wait for it.
/// All members but the request are guarded by the loader's mutex.
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
  std::condition_variable_any finished;
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
  std::mutex& mutex;  ///< shared->mutex
  TileCache& cache;   ///< shared->cache, guarded by mutex
  std::stop_source stop_source;

  // Guarded by mutex.
  bool stopped = false;
  std::size_t workers;                                                        ///< loads that may run at once, where threads run them
  std::size_t running = 0;                                                    ///< loads in their load function
  std::size_t callers = 0;                                                    ///< threads inside get
  std::unordered_map<TileRequest, std::shared_ptr<Load>, RequestHash> loads;  ///< queued or running
  std::unordered_map<TileRequest, std::exception_ptr, RequestHash> errors;    ///< of finished loads that nobody waited for
  Load::Queue wanted;    ///< queued, a caller waits or waited: first come, first served, whatever the budget
  Load::Queue preloads;  ///< queued, waiting for room
  std::uint64_t loaded_bytes = 0;
  LoaderStatistics counts;  ///< without what the cache knows
  std::minstd_rand random;
  std::condition_variable retry;  ///< waits between two attempts: only the end is announced
  std::condition_variable left;   ///< a caller has left get after the end

  // Guarded by join_mutex; taken before mutex.
  std::mutex join_mutex;
  std::vector<std::jthread> threads;

 private:
  using Lock = std::unique_lock<std::mutex>;

  void work();
  // All of these are called with the mutex held.
  std::shared_ptr<Load> enqueue(const TileRequest& request, bool is_wanted);
  void promote(Load& load);
  std::size_t estimate() const noexcept;
  bool can_start() const noexcept;
  void run(const std::shared_ptr<Load>& load, Lock& lock, const std::stop_token& stop);  ///< unlocks while it works
  TileCache::Tiles finish(Load& load, LoadOutcome& outcome);                             ///< takes the error
  // And these without it.
  LoadOutcome execute(const TileRequest& request, const std::stop_token& stop);
  bool wait_before_retry(int attempt);
};

}  // namespace tuile::prefetch
