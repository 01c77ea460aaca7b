#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/catalog/catalog.hpp"
#include "tuile/config/config.hpp"
#include "tuile/core/bounds.hpp"
#include "tuile/pipeline/run_summary.hpp"

namespace tuile::pipeline {

/// How the run stands, for a progress display.
struct Progress {
  std::size_t done = 0, failed = 0, skipped = 0, total = 0;  ///< tiles
  std::uint64_t points = 0;                                  ///< of the tiles done in this run
  double seconds = 0;                                        ///< since the start
  std::string waiting_for;                                   ///< what compute waited for most so far: "load", "write" or "" (nothing)
};

/// What a run does besides its configuration.
struct ProcessOptions {
  config::Config config;
  catalog::Shard shard;
  std::optional<Bounds> bbox;  ///< metres: only points inside (closed) are written
  bool overwrite = false;      ///< false: tiles already done are skipped
  bool fail_fast = false;
  std::stop_token stop;                           ///< ends the run soon; what is done stays valid
  std::function<void(const Progress&)> progress;  ///< called after every tile, one call at a time
  std::function<void(const std::string&)> warn;   ///< one line each
};

/// The plan of a run, for people (`--dry-run`).
struct PlanSummary {
  struct Tile {
    std::string path, output;
    std::uint64_t points = 0;
    std::vector<std::string> neighbours;
    bool done = false;
  };
  std::vector<Tile> tiles;
  std::vector<FailedTile> failed;
  std::vector<std::string> notes;
  std::vector<std::string> columns;
  std::string backend;         ///< its description
  std::string backend_reason;  ///< of `auto`: why not a better one; else empty
  std::uint64_t memory_budget = 0, memory_needed = 0;  ///< bytes
  int threads = 0, workers = 0, ahead = 0, batch = 0;
};

/// What only the modules that do the work can tell of a configuration: names of features, conditions of layers. Throws ConfigError.
void check_config(const config::Config& config);

/// The main job: tiles in, features out, with loading and writing hidden behind the computation.
class LidarProcessor {
 public:
  explicit LidarProcessor(ProcessOptions options);

  /// What process() would do. Reads headers only. Errors as process().
  PlanSummary plan();

  /// Processes every input tile. A tile that fails is in the summary, never an exception.
  /// Throws ConfigError (bad input paths, clashing outputs, unknown features), BackendUnavailable, PermissionDenied or IoError for the
  /// output folder.
  RunSummary process();

 private:
  ProcessOptions options_;
};

}  // namespace tuile::pipeline
