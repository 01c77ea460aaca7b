#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/catalog/catalog.hpp"
#include "tuile/catalog/inputs.hpp"
#include "tuile/config/config.hpp"
#include "tuile/core/bounds.hpp"
#include "tuile/core/feature_block.hpp"
#include "tuile/core/ground_truth.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/pipeline/run_summary.hpp"

namespace tuile::pipeline {

/// How the run stands, for a progress display.
struct Progress {
  std::size_t done = 0, failed = 0, skipped = 0, total = 0;  ///< tiles
  std::uint64_t points = 0;                                  ///< of the tiles done in this run
  double seconds = 0;                                        ///< since the start
  std::string waiting_for;                                   ///< what compute waited for most so far: "load", "write" or "" (nothing)
};

/// A finished tile that is handed over instead of written.
struct DeliveredTile {
  std::size_t index = 0;                     ///< in the run's order
  std::string path;                          ///< without secrets
  std::string name;                          ///< output name
  std::shared_ptr<const PointBlock> points;  ///< row i of all that follows is point i
  FeatureBlock features;                     ///< the output columns
  Buffer<std::uint8_t> valid;                ///< empty where preprocessing is off
  std::optional<LabelBlock> labels;          ///< where ground truth was asked for and is sound
  ObjectTable objects;                       ///< what labels->object counts
  int epsg = 0;                              ///< 0: unknown
  Bounds bounds;                             ///< metres: the file's own, cut by the run's box
};

/// What a run does besides its configuration.
struct ProcessOptions {
  config::Config config;
  std::vector<catalog::InputFile> inputs;  ///< not empty: the input files, instead of config.input
  std::vector<std::string> only;           ///< not empty: output names of the tiles to do; the others are neighbours only
  catalog::Shard shard;
  std::optional<Bounds> bbox;  ///< metres: only points inside (closed) are written
  bool overwrite = false;      ///< false: tiles already done are skipped
  bool fail_fast = false;
  bool run_report = true;                         ///< false: no run-<id>.json; for the parts of a run that is reported on elsewhere
  std::stop_token stop;                           ///< ends the run soon; what is done stays valid
  std::function<void(const Progress&)> progress;  ///< called after every tile, one call at a time
  std::function<void(const std::string&)> warn;   ///< one line each
  /// Takes finished tiles, which are then not written (nor is any done already); may wait, which holds the run back. One call at a time,
  /// in any order.
  std::function<void(DeliveredTile)> deliver;
  bool writes_files() const noexcept { return !deliver; }
  /// Asked before tiles are computed; may wait, which holds the run back where no tile stands in another's way.
  std::function<void()> admit;
  static constexpr std::size_t no_tile = static_cast<std::size_t>(-1);
  /// Told of every tile that failed, with its index (no_tile: an input that is no tile); one call at a time.
  std::function<void(std::size_t index, const FailedTile&)> failed;
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
  std::string backend;                                 ///< its description
  std::string backend_reason;                          ///< of `auto`: why not a better one; else empty
  std::uint64_t memory_budget = 0, memory_needed = 0;  ///< bytes
  int threads = 0, workers = 0, ahead = 0, batch = 0;
};

/// The tiles of a run as jobs of their own, for a scheduler elsewhere: each with the files it needs.
struct JobList {
  struct Job {
    catalog::InputFile tile;
    std::vector<catalog::InputFile> neighbours;
    std::uint64_t points = 0;
    Bounds bounds;  ///< metres
    bool done = false;
  };
  std::vector<Job> jobs;           ///< in the run's order, neighbours near each other
  std::vector<FailedTile> failed;  ///< inputs that no job can be made of
  std::vector<std::string> notes;
};

/// What only the modules that do the work can tell of a configuration: names of features, conditions of layers. Throws ConfigError.
void check_config(const config::Config& config);

/// The main job: tiles in, features out, with loading and writing hidden behind the computation.
class LidarProcessor {
 public:
  explicit LidarProcessor(ProcessOptions options);

  /// What process() would do. Reads headers only. Errors as process().
  PlanSummary plan();

  /// The same as jobs that processes elsewhere can do with `inputs` and `only`. Locations are whole, with whatever secrets URLs hold.
  JobList jobs();

  /// Processes every input tile. A tile that fails is in the summary, never an exception.
  /// Throws ConfigError (bad input paths, clashing outputs, unknown features), BackendUnavailable, PermissionDenied or IoError for the
  /// output folder.
  RunSummary process();

 private:
  ProcessOptions options_;
};

}  // namespace tuile::pipeline
