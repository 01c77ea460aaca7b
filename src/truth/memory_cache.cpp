#include <algorithm>
#include <list>
#include <new>
#include <string_view>
#include <unordered_map>

#include "tuile/core/mutex.hpp"
#include "tuile/truth/store.hpp"

namespace tuile::truth {

namespace {

struct Entry {
  std::string key;
  CellHandle cell;
  std::size_t bytes = 0;
};
using Entries = std::list<Entry>;

/// A cell that is being made. In Impl::flights while somebody makes it or waits for it.
struct Flight {
  bool making = true;       ///< in somebody's thread, now
  std::size_t waiters = 0;  ///< that have not been given it, nor taken over its making
  CellHandle cell;          ///< once made
  StoppableCondition changed;
};

}  // namespace

struct MemoryCache::Impl {
  mutable Mutex mutex;
  std::size_t limit GUARDED_BY(mutex) = 0;
  Entries order GUARDED_BY(mutex);                                                  ///< most recently used first
  std::unordered_map<std::string_view, Entries::iterator> index GUARDED_BY(mutex);  ///< by the entry's own key
  std::unordered_map<std::string, std::shared_ptr<Flight>> flights GUARDED_BY(mutex);
  CacheStatistics counts GUARDED_BY(mutex);

  /// Moves what passes the limit to `leaving`, which the caller frees after unlocking.
  void evict(Entries& leaving) noexcept REQUIRES(mutex) {
    while (counts.bytes > limit && !order.empty()) {
      const auto last = std::prev(order.end());
      index.erase(last->key);
      counts.bytes -= last->bytes;
      ++counts.evictions;
      leaving.splice(leaving.end(), order, last);
    }
  }

  /// Keeps the one entry of `entry`, or leaves it there where it does not fit.
  void keep(Entries& entry, Entries& leaving) REQUIRES(mutex) {
    Entry& added = entry.front();
    if (added.bytes > limit) return;
    index.emplace(added.key, entry.begin());
    counts.bytes += added.bytes;
    order.splice(order.begin(), entry);
    evict(leaving);
  }

  /// Unlocks while `maker` works. What has to leave goes to `leaving`, as in evict().
  CellHandle make(const std::string& key, const std::shared_ptr<Flight>& flight, const std::function<CellHandle()>& maker, Entries& leaving)
      REQUIRES(mutex) {
    ++counts.misses;
    Entries entry;
    CellHandle cell;
    try {
      cell = call(key, maker, entry);
    } catch (...) {
      flight->making = false;
      if (flight->waiters == 0) {
        flights.erase(key);
      } else {
        flight->changed.notify_all();
      }
      throw;
    }
    try {
      if (!entry.empty()) keep(entry, leaving);
    } catch (const std::bad_alloc&) {
    }
    flight->cell = cell;
    flight->making = false;
    flights.erase(key);
    flight->changed.notify_all();
    return cell;
  }

  /// The cell, and an entry for it where it can be kept.
  CellHandle call(const std::string& key, const std::function<CellHandle()>& maker, Entries& entry) REQUIRES(mutex) {
    const MutexUnlock unlocked(mutex);
    CellHandle cell = maker();
    if (!cell) throw InvalidArgument("the maker of the cell '" + key + "' returned nothing; a cell with an outcome is expected");
    try {
      if (is_sound(cell->outcome)) entry.push_back({key, cell, key.size() + cell->bytes()});
    } catch (const std::bad_alloc&) {  // then it is not kept
    }
    return cell;
  }
};

MemoryCache::MemoryCache(std::size_t limit) : impl_(std::make_unique<Impl>()) { impl_->limit = limit; }

MemoryCache::~MemoryCache() = default;

CellHandle MemoryCache::get(const std::string& key, const std::function<CellHandle()>& make, std::stop_token stop) {
  Entries leaving;  // outlives the lock
  MutexLock lock(impl_->mutex);
  if (const auto at = impl_->index.find(key); at != impl_->index.end()) {
    impl_->order.splice(impl_->order.begin(), impl_->order, at->second);
    ++impl_->counts.hits;
    return at->second->cell;
  }
  const auto [at, is_first] = impl_->flights.try_emplace(key);
  if (is_first) {
    try {
      at->second = std::make_shared<Flight>();
    } catch (...) {
      impl_->flights.erase(at);
      throw;
    }
    return impl_->make(key, std::shared_ptr<Flight>(at->second), make, leaving);
  }

  const std::shared_ptr<Flight> flight = at->second;
  ++flight->waiters;
  const bool is_over = flight->changed.wait(lock, stop, [&] { return flight->cell || !flight->making; });
  --flight->waiters;
  if (flight->cell) {
    ++impl_->counts.hits;
    ++impl_->counts.joined;
    return flight->cell;
  }
  if (!is_over) throw Cancelled("stopped while waiting for ground truth that another tile asked for");
  // Its maker gave up, for a reason that may be its own.
  flight->making = true;
  return impl_->make(key, flight, make, leaving);
}

void MemoryCache::set_limit(std::size_t bytes) {
  Entries leaving;
  const MutexLock lock(impl_->mutex);
  impl_->limit = bytes;
  impl_->evict(leaving);
}

void MemoryCache::clear() {
  Entries leaving;
  const MutexLock lock(impl_->mutex);
  impl_->index.clear();
  leaving.swap(impl_->order);
  impl_->counts.bytes = 0;
}

CacheStatistics MemoryCache::statistics() const {
  const MutexLock lock(impl_->mutex);
  CacheStatistics counts = impl_->counts;
  counts.entries = impl_->order.size();
  return counts;
}

std::shared_ptr<MemoryCache> process_memory_cache(std::size_t limit) {
  static Mutex mutex;
  static std::size_t largest GUARDED_BY(mutex) = 0;
  static const auto cache = std::make_shared<MemoryCache>(0);
  const MutexLock lock(mutex);
  if (limit > largest) {
    largest = limit;
    cache->set_limit(limit);
  }
  return cache;
}

}  // namespace tuile::truth
