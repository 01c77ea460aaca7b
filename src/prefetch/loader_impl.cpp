#include "prefetch/loader_impl.hpp"

#include <algorithm>
#include <cmath>
#include <new>
#include <system_error>
#include <utility>

#include "prefetch/tile_lease.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::prefetch {

namespace {

constexpr int most_workers = 1024;

const LoaderOptions& checked(const LoaderOptions& options) {
  const auto refuse = [](const std::string& name, auto value, const std::string& expected) {
    throw InvalidArgument("AsyncTileLoader: " + name + " is " + std::to_string(value) + "; " + expected + " is expected");
  };
  if (options.num_workers < 0 || options.num_workers > most_workers)
    refuse("num_workers", options.num_workers, "0 (no prefetching) to 1024");
  if (options.cache_size < 1) refuse("cache_size", options.cache_size, "at least 1");
  if (options.retries < 0) refuse("retries", options.retries, "0 or more");
  if (options.retry_delay.count() < 0) refuse("retry_delay", options.retry_delay.count(), "0 ms or more");
  return options;
}

LoadFunction checked(LoadFunction function) {
  if (!function) throw InvalidArgument("AsyncTileLoader: the load function is empty; pass a callable");
  return function;
}

/// A NaN equals nothing, not even itself: such a request could never be found again.
void check(const TileRequest& request) {
  if (!request.bbox) return;
  const Bounds& box = *request.bbox;
  if (std::isnan(box.min_x) || std::isnan(box.min_y) || std::isnan(box.max_x) || std::isnan(box.max_y)) {
    throw InvalidArgument(request.path + ": bbox has a NaN; four numbers in metres are expected");
  }
}

std::optional<Clock::time_point> deadline_of(Clock::time_point begin, std::optional<std::chrono::duration<double>> timeout) {
  if (!timeout) return std::nullopt;
  const double seconds = timeout->count();
  if (std::isnan(seconds) || seconds < 0) {
    throw InvalidArgument("get_tile: timeout is " + std::to_string(seconds) +
                          " s; 0 or more is expected, or none to wait as long as it takes");
  }
  constexpr double as_long_as_it_takes = 1e8;  // three years; far below what the clock can count
  if (seconds >= as_long_as_it_takes) return std::nullopt;
  return begin + std::chrono::ceil<Clock::duration>(*timeout);
}

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

std::exception_ptr out_of_memory(const std::string& path) noexcept {
  try {
    return std::make_exception_ptr(OutOfMemory(path + ": not enough memory to load it; lower memory.budget or the number of workers"));
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace

AsyncTileLoader::Impl::Impl(LoaderOptions chosen, LoadFunction function)
    : options(checked(chosen)),
      load_function(checked(std::move(function))),
      shared(std::make_shared<SharedCache>(options)),
      workers(static_cast<std::size_t>(options.num_workers)),
      random(static_cast<std::minstd_rand::result_type>(Clock::now().time_since_epoch().count())) {
  try {
    for (int i = 0; i < options.num_workers; ++i) threads.emplace_back([this] { work(); });
  } catch (const std::system_error& error) {
    const std::size_t started = threads.size();
    shutdown();
    throw OutOfMemory("AsyncTileLoader: only " + std::to_string(started) + " of " + std::to_string(options.num_workers) +
                      " I/O threads could be started (" + error.what() + "); lower num_workers");
  }
}

void AsyncTileLoader::Impl::preload(TileRequest request) {
  check(request);
  decltype(errors)::node_type forgotten;  // outlives the lock, as the exception's destructor is not ours
  const MutexLock lock(shared->mutex);
  if (stopped) throw Cancelled(request.path + ": preload_tile after shutdown of the loader");
  if (shared->cache.use(request, true)) return;
  if (const auto found = loads.find(request); found != loads.end()) {
    found->second->released = false;
    return;
  }
  forgotten = errors.extract(request);
  enqueue(request, false);
}

TileHandle AsyncTileLoader::Impl::get(const TileRequest& request, std::optional<std::chrono::duration<double>> timeout,
                                      std::stop_token stop) {
  const Clock::time_point begin = Clock::now();
  const auto deadline = deadline_of(begin, timeout);
  check(request);
  TileHandle handle;         // these outlive the lock: freeing a handle takes it,
  std::exception_ptr error;  // and an exception's destructor is not ours
  MutexLock lock(shared->mutex);
  if (stopped) throw Cancelled(request.path + ": get_tile after shutdown of the loader");

  struct Account {  // of one request; made and destroyed with the mutex held
    Impl& impl;
    const Clock::time_point begin;
    Account(Impl& of, Clock::time_point at) : impl(of), begin(at) {
      ++impl.counts.requests;
      ++impl.callers;
    }
    ~Account() NO_THREAD_SAFETY_ANALYSIS {  // it cannot see whose mutex that is
      impl.counts.wait_seconds += seconds_since(begin);
      if (--impl.callers == 0 && impl.stopped) impl.left.notify_all();
    }
  };

  // Each request counts in exactly one of hits_ready, hits_in_flight and misses; what throws here does so before it counts in any.
  if (const auto tile = shared->cache.use(request, false)) {
    handle = lease(shared, tile);
    const Account account(*this, begin);
    ++counts.hits_ready;
    return handle;
  }
  if (const auto found = errors.find(request); found != errors.end()) {
    error = std::move(found->second);
    errors.erase(found);
    const Account account(*this, begin);
    ++counts.hits_ready;
    std::rethrow_exception(error);
  }

  std::shared_ptr<Load> load;
  bool starts = true;
  if (const auto found = loads.find(request); found != loads.end()) {
    load = found->second;
    load->released = false;
    starts = options.num_workers == 0 && load->state == Load::State::queued;
    promote(*load);
  } else {
    load = enqueue(request, true);
  }
  const Account account(*this, begin);
  ++(starts ? counts.misses : counts.hits_in_flight);

  ++load->waiters;
  if (options.num_workers == 0 && load->state == Load::State::queued) {
    // The load ends with the loader, or with the call that runs it.
    std::stop_source either;
    const auto end = [&either] { either.request_stop(); };
    const std::stop_callback with_loader(stop_source.get_token(), end), with_call(stop, end);
    run(load, either.get_token());
  } else {
    const auto settled = [&]() REQUIRES(shared->mutex) { return load->state == Load::State::done || stopped; };
    if (deadline) {
      load->finished.wait_until(lock, stop, *deadline, settled);
    } else {
      load->finished.wait(lock, stop, settled);
    }
  }
  const bool last = --load->waiters == 0;
  if (load->state == Load::State::done) {
    handle = last ? std::move(load->handle) : load->handle;
    error = last ? std::move(load->error) : load->error;
    if (!error) return handle;
    if (!stopped) std::rethrow_exception(error);  // else the end may be what made it fail, and Cancelled is what the caller has to know
  }
  if (stopped) throw Cancelled(request.path + ": the loader was shut down while get_tile waited");
  if (stop.stop_requested()) throw Cancelled(request.path + ": stopped while get_tile waited; the load goes on");
  throw TimeoutError(request.path + ": not loaded within " + std::to_string(timeout->count()) +
                     " s; the load goes on, ask again or raise prefetch.timeout");
}

bool AsyncTileLoader::Impl::ready(const TileRequest& request) const {
  const MutexLock lock(shared->mutex);
  return !loads.contains(request);
}

void AsyncTileLoader::Impl::release(const TileRequest& request) {
  TileCache::Tiles leaving;  // these outlive the lock
  decltype(errors)::node_type forgotten;
  std::shared_ptr<Load> dropped;
  const MutexLock lock(shared->mutex);
  leaving = shared->cache.remove(request);
  forgotten = errors.extract(request);
  if (const auto found = loads.find(request); found != loads.end() && found->second->waiters == 0) {
    Load& load = *found->second;
    if (load.state == Load::State::queued) {
      (load.wanted ? wanted : preloads).erase(load.position);
      dropped = std::move(found->second);
      loads.erase(found);
    } else {
      load.released = true;
    }
  }
  shared->work.notify_all();
}

void AsyncTileLoader::Impl::set_workers(int count) {
  if (count < 1 || count > most_workers) {
    throw InvalidArgument("AsyncTileLoader: set_workers was given " + std::to_string(count) + "; 1 to 1024 are expected");
  }
  if (options.num_workers == 0) return;
  const MutexLock joining(join_mutex);
  {
    const MutexLock lock(shared->mutex);
    if (stopped) return;
    workers = static_cast<std::size_t>(count);
    shared->work.notify_all();
  }
  try {
    while (threads.size() < static_cast<std::size_t>(count)) threads.emplace_back([this] { work(); });
  } catch (const std::system_error& error) {
    throw OutOfMemory("AsyncTileLoader: only " + std::to_string(threads.size()) + " of " + std::to_string(count) +
                      " I/O threads could be started (" + error.what() + "); lower prefetch.workers");
  }
}

void AsyncTileLoader::Impl::clear_cache() {
  TileCache::Tiles leaving;  // both outlive the lock
  decltype(errors) forgotten;
  const MutexLock lock(shared->mutex);
  leaving = shared->cache.clear();
  forgotten.swap(errors);
  shared->work.notify_all();
}

LoaderStatistics AsyncTileLoader::Impl::statistics() const {
  const MutexLock lock(shared->mutex);
  LoaderStatistics snapshot = counts;
  snapshot.evictions = shared->cache.evictions();
  snapshot.bytes_cached = shared->cache.bytes_cached();
  snapshot.tiles_cached = shared->cache.count();
  snapshot.bytes_held = shared->cache.bytes_held();
  const Clock::time_point now = Clock::now();
  for (const auto& [request, load] : loads) {
    if (load->state == Load::State::running)
      snapshot.oldest_load = std::max(snapshot.oldest_load, std::chrono::duration<double>(now - load->begun).count());
  }
  return snapshot;
}

void AsyncTileLoader::Impl::shutdown() {
  {
    const MutexLock lock(shared->mutex);
    stopped = true;
    for (const auto& [request, load] : loads) load->finished.notify_all();
    for (const Load::Queue* queue : {&wanted, &preloads}) {
      for (const auto& load : *queue) loads.erase(load->request);
    }
    wanted.clear();
    preloads.clear();
    shared->work.notify_all();
    retry.notify_all();
  }
  stop_source.request_stop();  // not under the mutex: it calls back into load functions
  const MutexLock joining(join_mutex);
  for (std::jthread& thread : threads) {
    if (thread.joinable()) thread.join();
  }
  MutexLock lock(shared->mutex);
  left.wait(lock, [this]() REQUIRES(shared->mutex) { return callers == 0; });
  lock.unlock();
  clear_cache();
}

void AsyncTileLoader::Impl::work() {
  MutexLock lock(shared->mutex);
  for (;;) {
    shared->work.wait(lock, [this]() REQUIRES(shared->mutex) { return stopped || can_start(); });
    if (stopped) return;
    const std::shared_ptr<Load> load = wanted.empty() ? preloads.front() : wanted.front();
    run(load, stop_source.get_token());
  }
}

std::shared_ptr<Load> AsyncTileLoader::Impl::enqueue(const TileRequest& request, bool is_wanted) {
  const auto load = std::make_shared<Load>(request);
  Load::Queue node{load};
  loads.emplace(request, load);
  load->wanted = is_wanted;
  load->position = node.begin();
  Load::Queue& queue = is_wanted ? wanted : preloads;
  queue.splice(queue.end(), node);
  shared->work.notify_one();
  return load;
}

void AsyncTileLoader::Impl::promote(Load& load) {
  if (load.state != Load::State::queued || load.wanted) return;
  load.wanted = true;
  wanted.splice(wanted.end(), preloads, load.position);
  shared->work.notify_one();
}

std::size_t AsyncTileLoader::Impl::estimate() const noexcept {
  return counts.tiles_loaded == 0 ? options.expected_bytes : static_cast<std::size_t>(loaded_bytes / counts.tiles_loaded);
}

bool AsyncTileLoader::Impl::can_start() const noexcept {
  if (running >= workers) return false;
  return !wanted.empty() || (!preloads.empty() && shared->cache.admits(estimate(), running));
}

void AsyncTileLoader::Impl::run(const std::shared_ptr<Load>& load, const std::stop_token& stop) {
  Load::Queue node;
  node.splice(node.end(), load->wanted ? wanted : preloads, load->position);
  load->state = Load::State::running;
  load->begun = Clock::now();
  load->reserved = estimate();
  ++running;
  TileCache::Tiles leaving = shared->cache.reserve(load->reserved);
  LoadOutcome outcome;
  {
    const MutexUnlock unlocked(shared->mutex);
    leaving.clear();  // first, so that the new tile finds the memory
    outcome = execute(load->request, stop);
  }
  leaving = finish(*load, outcome);
  const MutexUnlock unlocked(shared->mutex);
  leaving.clear();
  outcome = {};
}

/// The error is moved to whoever takes it: this thread keeps no share, so that the taker's is the last and the exception ends where it is
/// read.
TileCache::Tiles AsyncTileLoader::Impl::finish(Load& load, LoadOutcome& outcome) {
  TileCache::Tiles leaving;
  --running;
  shared->cache.unreserve(load.reserved);
  counts.io_seconds += outcome.seconds;
  load.state = Load::State::done;
  bool loaded = false;
  try {
    if (outcome.tile && load.released && load.waiters == 0) {
      loaded_bytes += outcome.tile->bytes;
      loaded = true;
    } else if (outcome.tile) {
      // The handle first: with a user, the tile outlives its own eviction.
      if (load.waiters > 0) load.handle = lease(shared, outcome.tile);
      leaving = shared->cache.insert(outcome.tile, load.waiters == 0);
      loaded_bytes += outcome.tile->bytes;
      loaded = true;
    } else if (load.waiters > 0) {
      load.error = std::move(outcome.error);
    } else if (!load.released) {
      errors.insert_or_assign(load.request, std::move(outcome.error));
    }
  } catch (const std::bad_alloc&) {
    load.error = out_of_memory(load.request.path);
  }
  ++(loaded ? counts.tiles_loaded : counts.loads_failed);
  loads.erase(load.request);
  load.finished.notify_all();
  shared->work.notify_all();
  return leaving;
}

LoadOutcome AsyncTileLoader::Impl::execute(const TileRequest& request, const std::stop_token& stop) {
  LoadOutcome outcome;
  const Clock::time_point begin = Clock::now();
  for (int attempt = 0;; ++attempt) {
    bool can_pass = false;
    try {
      outcome.tile = std::make_shared<ResidentTile>(request, load_function(request, stop));
      outcome.error = nullptr;
    } catch (const Error& error) {
      outcome.error = std::current_exception();
      can_pass = error.can_pass();
    } catch (const std::bad_alloc&) {
      outcome.error = out_of_memory(request.path);
    } catch (...) {
      outcome.error = std::current_exception();
    }
    if (!can_pass || attempt >= options.retries || stop.stop_requested() || !wait_before_retry(attempt)) break;
  }
  outcome.seconds = seconds_since(begin);
  return outcome;
}

/// Exponential backoff; the jitter keeps loads that failed together from asking again together. False: the end has come meanwhile.
bool AsyncTileLoader::Impl::wait_before_retry(int attempt) {
  MutexLock lock(shared->mutex);
  const double jitter = std::uniform_real_distribution<double>(1.0, 1.5)(random);
  const double longest = 3600.0;
  const double base = std::chrono::duration<double>(options.retry_delay).count();
  const std::chrono::duration<double> delay(std::min(longest, std::ldexp(base, std::min(attempt, 64)) * jitter));
  if (retry.wait_for(lock, delay, [this]() REQUIRES(shared->mutex) { return stopped; })) return false;
  ++counts.retries;
  return true;
}

}  // namespace tuile::prefetch
