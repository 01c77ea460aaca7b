#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tuile/compute/backend.hpp"
#include "tuile/core/error.hpp"
#include "tuile/pipeline/async_pipeline.hpp"
#include "tuile/prefetch/async_tile_loader.hpp"
#include "tuile/prefetch/tile_reader.hpp"
#include "tuile/source/http.hpp"
#include "tuile/truth/store.hpp"

namespace tuile::pipeline {

/// A tile that was not done, and why.
struct FailedTile {
  std::string path;
  ErrorKind kind = ErrorKind::io;
  std::string message;
};

/// The ground truth of a run; `source` is empty where none was asked for.
struct TruthSummary {
  std::string source, edition;
  std::uint64_t labelled = 0, unlabelled = 0;  ///< tiles done
  /// Tiles by outcome, in the order of Outcome, and points labelled.
  struct Layer {
    std::string layer;
    std::array<std::uint64_t, 5> outcomes{};
    std::uint64_t points = 0;
  };
  std::vector<Layer> layers;
  truth::StoreStatistics store;
  source::HttpStatistics http;  ///< zeros for files
  double wait_seconds = 0;      ///< writers waited for it
};

/// Colours from elsewhere; `source` is empty where none were asked for.
struct ImagerySummary {
  std::string source;
  std::uint64_t coloured = 0, failed = 0;  ///< tiles done
  source::HttpStatistics http;             ///< zeros for files
};

/// How `auto` settings were arrived at.
struct TuningSummary {
  int changes = 0;                               ///< how often they changed while the run went
  double wait_seconds = 0, compute_seconds = 0;  ///< of the last tiles, each: its loads waited for bytes; it was computed
};

/// Everything about a finished run.
struct RunSummary {
  std::string version, backend, device, config_hash;
  std::string backend_reason;  ///< where the backend was chosen by tuile: why not a better one
  std::uint64_t tiles_done = 0, tiles_skipped = 0, tiles_total = 0;
  std::uint64_t tiles_not_begun = 0;  ///< after an interruption, or a failure with fail_fast
  std::vector<FailedTile> failed;     ///< sorted by path
  std::vector<std::string> notes;     ///< overlaps, copies
  std::uint64_t points = 0;           ///< in the tiles done
  std::uint64_t points_in_input = 0;  ///< in the tiles that had to be done
  double cpu_seconds = 0;
  std::uint64_t peak_rss = 0;        ///< bytes
  std::uint64_t peak_anonymous = 0;  ///< bytes: the process's own memory (RssAnon), without pages of files, sampled during the run
  std::uint64_t memory_budget = 0;   ///< bytes
  std::uint64_t memory_needed = 0;   ///< bytes that compute, writing and border strips were planned to take
  int threads = 0, workers = 0, ahead = 0, batch = 0, computers = 1, writers = 0;  ///< those that are `auto`: as they were at the end
  TuningSummary tuning;
  bool interrupted = false;
  PipelineTimes times;
  prefetch::LoaderStatistics loader;
  prefetch::ReaderStatistics reader;
  TruthSummary truth;
  ImagerySummary imagery;
  compute::BackendReport compute;  ///< what devices did

  /// Points decoded over points in the input tiles of the run: 1 where each tile is decoded once.
  double decode_amplification() const noexcept {
    return points_in_input == 0 ? 0.0 : static_cast<double>(reader.points_decoded) / static_cast<double>(points_in_input);
  }
  /// Busy time of a device, by its own clock, over the time from the first tile's arrival to the last compute.
  double utilisation_of(const compute::DeviceReport& report) const noexcept {
    const double span = times.wall - times.first_arrival - times.drain;
    return span <= 0 ? 0.0 : report.busy_seconds / span;
  }
  /// What compute waited for most: "nothing", "load" or "write".
  const char* waited_for() const noexcept;
};

/// The summary as one JSON object (text).
std::string to_json(const RunSummary& summary);
/// The summary for people, several lines.
std::string to_text(const RunSummary& summary);

}  // namespace tuile::pipeline
