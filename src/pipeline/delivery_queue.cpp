#include "pipeline/delivery_queue.hpp"

#include <utility>

#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::pipeline {

void DeliveryQueue::put(DeliveredTile tile) {
  MutexLock lock(mutex_);
  changed_.wait(lock,
                [&]() REQUIRES(mutex_) { return closed_ || tile.index == next_ || !waiting_.contains(next_) || waiting_.size() < ready_; });
  if (closed_) throw Cancelled("the stream was closed");
  const std::size_t index = tile.index;
  waiting_.emplace(index, std::move(tile));
  changed_.notify_all();
}

void DeliveryQueue::put(std::size_t index, const FailedTile& failure) {
  const MutexLock lock(mutex_);
  if (closed_) return;
  if (index == ProcessOptions::no_tile)
    no_tiles_.push_back(failure);
  else
    waiting_.emplace(index, failure);
  changed_.notify_all();
}

void DeliveryQueue::admit() {
  MutexLock lock(mutex_);
  changed_.wait(lock, [&]() REQUIRES(mutex_) { return closed_ || waiting_.size() < ready_; });
}

void DeliveryQueue::end(std::exception_ptr error) {
  const MutexLock lock(mutex_);
  error_ = std::move(error);
  ended_ = true;
  changed_.notify_all();
}

std::optional<DeliveryQueue::Result> DeliveryQueue::get(std::stop_token stop) {
  MutexLock lock(mutex_);
  changed_.wait(lock, std::move(stop),
                [&]() REQUIRES(mutex_) { return closed_ || !no_tiles_.empty() || waiting_.contains(next_) || ended_; });
  if (closed_) throw Cancelled("the stream was closed");
  if (!no_tiles_.empty()) {
    FailedTile failure = std::move(no_tiles_.front());
    no_tiles_.pop_front();
    return failure;
  }
  if (!waiting_.contains(next_)) {
    if (!ended_) throw Cancelled("stopped while waiting for the next tile");
    if (waiting_.empty()) {
      if (error_) std::rethrow_exception(error_);
      return std::nullopt;
    }
  }
  auto entry = waiting_.extract(waiting_.begin());  // the one that is next, or after a run that ended early what is left
  next_ = entry.key() + 1;
  changed_.notify_all();
  return std::move(entry.mapped());
}

void DeliveryQueue::close() {
  std::map<std::size_t, Result> dropped;  // freed without the mutex
  const MutexLock lock(mutex_);
  closed_ = true;
  dropped.swap(waiting_);
  changed_.notify_all();
}

}  // namespace tuile::pipeline
