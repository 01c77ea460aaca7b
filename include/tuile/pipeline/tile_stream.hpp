#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>

#include "tuile/pipeline/lidar_processor.hpp"

namespace tuile::pipeline {

/// The main job as a stream: finished tiles come one after the other, in the run's order, and nothing is written. While one is looked at,
/// the next are loaded and computed. At most `ready` finished tiles wait for their turn, and while one that is late holds up the others,
/// those besides that were under way already.
class TileStream {
 public:
  /// options: deliver, admit, failed and stop are the stream's own. Starts the run on a thread of its own. ready: at least 1.
  explicit TileStream(ProcessOptions options, std::size_t ready = 2);
  /// Stops the run and waits for its end.
  ~TileStream();
  TileStream(const TileStream&) = delete;
  TileStream& operator=(const TileStream&) = delete;

  /// The next tile; nothing at the end. A tile that failed is thrown in its turn, as the typed error with its place in the message; the
  /// call after it goes on. Throws what ended the run (ConfigError, BackendUnavailable …), every time; Cancelled after `stop` was requested
  /// (the stream goes on).
  std::optional<DeliveredTile> next(std::stop_token stop = {});

  /// A tile, or why there is none; inputs that are no tiles come first.
  using Result = std::variant<DeliveredTile, FailedTile>;
  /// As next(), but a tile that failed is a result.
  std::optional<Result> next_result(std::stop_token stop = {});

  /// Ends the run; further calls of next() throw Cancelled. Thread-safe.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tuile::pipeline
