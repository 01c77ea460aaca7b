#include "tuile/pipeline/tile_stream.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>

namespace tuile::pipeline {

struct TileStream::Impl {
  Impl(ProcessOptions chosen, std::size_t most) : options(std::move(chosen)), ready(most) {
    options.stop = stop_source.get_token();
    options.deliver = [this](DeliveredTile tile) { take(std::move(tile)); };
    options.admit = [this] { admit(); };
    options.failed = [this](std::size_t index, const FailedTile& failure) {
      const std::lock_guard lock(mutex);
      if (index == ProcessOptions::no_tile)
        unplanned.push_back(failure);
      else
        waiting.emplace(index, failure);
      changed.notify_all();
    };
    runner = std::jthread([this] { run(); });
  }
  ~Impl() { close(); }

  void run() {
    std::exception_ptr failure;
    try {
      LidarProcessor(options).process();
    } catch (...) {
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    error = failure;
    ended = true;
    changed.notify_all();
  }

  /// Holds the run back while enough waits, but never while the tile that is wanted next is not there: it may stand behind this one.
  void take(DeliveredTile tile) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return closed || tile.index == next || !waiting.contains(next) || waiting.size() < ready; });
    if (closed) throw Cancelled("the stream was closed");
    const std::size_t index = tile.index;
    waiting.emplace(index, std::move(tile));
    changed.notify_all();
  }

  /// Holds back tiles that are not yet computed, whoever is late: the tile that is wanted next was begun before them.
  void admit() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return closed || waiting.size() < ready; });
  }

  std::optional<Result> get(std::stop_token stop) {
    std::unique_lock lock(mutex);
    changed.wait(lock, stop, [&] { return closed || !unplanned.empty() || waiting.contains(next) || ended; });
    if (closed) throw Cancelled("the stream was closed");
    if (!unplanned.empty()) {
      FailedTile failure = std::move(unplanned.front());
      unplanned.pop_front();
      return failure;
    }
    if (!waiting.contains(next)) {
      if (!ended) throw Cancelled("stopped while waiting for the next tile");
      if (waiting.empty()) {
        if (error) std::rethrow_exception(error);
        return std::nullopt;
      }
    }
    auto entry = waiting.extract(waiting.begin());  // the one that is next, or after a run that ended early what is left
    next = entry.key() + 1;
    changed.notify_all();
    return std::move(entry.mapped());
  }

  void close() {
    std::map<std::size_t, Result> dropped;  // freed without the mutex
    {
      const std::lock_guard lock(mutex);
      closed = true;
      dropped.swap(waiting);
      changed.notify_all();
    }
    stop_source.request_stop();
  }

  ProcessOptions options;
  const std::size_t ready;
  std::stop_source stop_source;
  std::mutex mutex;
  std::condition_variable_any changed;
  // Guarded by mutex.
  std::map<std::size_t, Result> waiting;  ///< by index
  std::deque<FailedTile> unplanned;       ///< inputs that never became tiles
  std::size_t next = 0;                   ///< index of the tile that is handed out next
  bool closed = false, ended = false;
  std::exception_ptr error;  ///< what ended the run
  std::jthread runner;       ///< the last member: it ends before the others
};

TileStream::TileStream(ProcessOptions options, std::size_t ready) {
  if (ready == 0) throw InvalidArgument("a stream of 0 tiles was asked for; at least 1 may have to wait");
  impl_ = std::make_unique<Impl>(std::move(options), ready);
}
TileStream::~TileStream() = default;
std::optional<DeliveredTile> TileStream::next(std::stop_token stop) {
  std::optional<Result> result = impl_->get(std::move(stop));
  if (!result) return std::nullopt;
  if (const auto* failure = std::get_if<FailedTile>(&*result)) throw_error(failure->kind, failure->message);
  return std::get<DeliveredTile>(std::move(*result));
}
std::optional<TileStream::Result> TileStream::next_result(std::stop_token stop) { return impl_->get(std::move(stop)); }
void TileStream::close() { impl_->close(); }

}  // namespace tuile::pipeline
