#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "tuile/core/mutex.hpp"

namespace tuile::pipeline {

/// A bounded queue of jobs with its own threads. push() holds the producer while the queue is full. With no threads, push() runs the job
/// itself. The jobs must not throw. The destructor runs what is queued, then joins.
class WriteQueue {
 public:
  WriteQueue(int threads, std::size_t capacity) : capacity_(capacity), threaded_(threads > 0) {
    for (int t = 0; t < threads; ++t) threads_.emplace_back([this] { work(); });
  }
  ~WriteQueue() { drain(); }
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  void push(std::function<void()> job) {
    if (!threaded_) {
      job();
      return;
    }
    MutexLock lock(mutex_);
    room_.wait(lock, [this]() REQUIRES(mutex_) { return jobs_.size() < capacity_; });
    jobs_.push_back(std::move(job));
    work_.notify_one();
  }

  /// Runs what is queued and joins the threads. push() must not be called any more.
  void drain() {
    {
      const MutexLock lock(mutex_);
      closed_ = true;
    }
    work_.notify_all();
    threads_.clear();
  }

 private:
  void work() {
    for (;;) {
      std::function<void()> job;
      {
        MutexLock lock(mutex_);
        work_.wait(lock, [this]() REQUIRES(mutex_) { return closed_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        job = std::move(jobs_.front());
        jobs_.pop_front();
        room_.notify_one();
      }
      job();
    }
  }

  // Constant after construction.
  const std::size_t capacity_;
  const bool threaded_;

  Mutex mutex_;
  Condition room_, work_;
  std::deque<std::function<void()>> jobs_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;

  std::vector<std::jthread> threads_;  ///< last: they use the members above
};

}  // namespace tuile::pipeline
