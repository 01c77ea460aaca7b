#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <map>
#include <optional>
#include <stop_token>

#include "tuile/core/mutex.hpp"
#include "tuile/pipeline/tile_stream.hpp"

namespace tuile::pipeline {

/// Finished tiles on their way from a run, which finishes them in any order, to a reader, who wants them in the run's. Thread-safe.
class DeliveryQueue {
 public:
  using Result = TileStream::Result;

  /// ready: tiles that may wait; at least 1.
  explicit DeliveryQueue(std::size_t ready) : ready_(ready) {}

  /// A finished tile. Waits while enough others do, but never while the tile that is wanted next is not there: it may stand behind this
  /// one. Throws Cancelled once closed.
  void put(DeliveredTile tile);
  /// A tile that failed, with its index, or an input that is no tile (ProcessOptions::no_tile). Never waits.
  void put(std::size_t index, const FailedTile& failure);
  /// Waits while enough tiles do, whoever is late. To be called before tiles are begun, in the run's order: then the one that is wanted
  /// next is there or was begun, and needs nobody who waits in here. Returns at once when closed.
  void admit();
  /// The run has ended, with an error or null.
  void end(std::exception_ptr error);

  /// The next result, and before all others inputs that are no tiles; nothing at the end. Throws what the run ended with, Cancelled once
  /// closed or after `stop` was requested.
  std::optional<Result> get(std::stop_token stop);
  /// Drops what waits; whoever waits in here is let go.
  void close();

 private:
  const std::size_t ready_;
  Mutex mutex_;
  StoppableCondition changed_;
  std::map<std::size_t, Result> waiting_ GUARDED_BY(mutex_);  ///< by index
  std::deque<FailedTile> no_tiles_ GUARDED_BY(mutex_);        ///< inputs that never became tiles
  std::size_t next_ GUARDED_BY(mutex_) = 0;                   ///< index of the tile that is handed out next
  bool closed_ GUARDED_BY(mutex_) = false, ended_ GUARDED_BY(mutex_) = false;
  std::exception_ptr error_ GUARDED_BY(mutex_);  ///< what ended the run
};

}  // namespace tuile::pipeline
