#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/core/error.hpp"
#include "tuile/pipeline/trace.hpp"
#include "tuile/prefetch/async_tile_loader.hpp"

namespace tuile::pipeline {

/// One tile to process: what to load for it.
struct TileTask {
  prefetch::TileRequest tile;
  std::vector<prefetch::TileRequest> halo;  ///< parts of its neighbours
};

/// Why a part of a neighbour cannot be had.
struct PartError {
  ErrorKind kind;
  std::string message;
};

/// A task whose tile is in memory. A part that failed for a reason that can pass fails the task: an output with less halo than it could
/// have would be taken for done.
struct LoadedTask {
  std::size_t index = 0;  ///< into the tasks given
  prefetch::TileHandle tile;
  std::vector<prefetch::TileHandle> halo;             ///< as TileTask::halo; null where the part could not be loaded
  std::vector<std::optional<PartError>> halo_errors;  ///< as TileTask::halo; set where the part can never be loaded
};

/// What compute makes of a tile and write takes; whoever gives the stages derives a type of their own.
class Product {
 public:
  virtual ~Product() = default;
};
using ProductHandle = std::shared_ptr<Product>;

/// How far a run looks ahead and how many tiles it computes together.
struct Pace {
  int ahead = 2;       ///< tiles loaded beyond the batch being computed
  int batch_size = 1;  ///< tiles given to compute at once; results do not depend on it
};

/// The two stages after loading. Both may throw: the error is the tile's, the run goes on.
struct Stages {
  /// One product per task, in order. Runs on the caller's thread, one batch at a time; with several `computers` on as many threads.
  std::function<std::vector<ProductHandle>(std::span<const LoadedTask>)> compute;
  /// Takes the product, which may be null where compute gave none (empty function: it is kept in the record). Runs on writer threads,
  /// beside the next compute.
  std::function<void(std::size_t index, const ProductHandle&)> write;
  /// Called once per task, from any one thread at a time, when it is finished, failed or cancelled. Must not throw.
  std::function<void(std::size_t index, std::exception_ptr error)> finished;
  /// Asked before every batch, by one thread at a time, where the pace changes while the run goes; empty: that of the options stays.
  std::function<Pace()> pace;
};

struct AsyncPipelineOptions {
  int ahead = 2;                  ///< tiles loaded beyond the batch being computed
  int batch_size = 1;             ///< tiles given to compute at once; results do not depend on it
  int computers = 1;              ///< batches in compute at once: more than one where a backend copies one while it computes another
  int writers = 1;                ///< writer threads; 0: write on the caller's thread, nothing overlaps
  int pending_writes = 2;         ///< products that may wait for a writer before compute is held back
  bool fail_fast = false;         ///< the first failed tile cancels those not yet computed
  std::optional<double> timeout;  ///< seconds that a tile may take to load; beyond it the tile fails
};

/// What became of a task.
struct TaskRecord {
  std::exception_ptr error;  ///< null: done
  ProductHandle product;     ///< where there is no write stage
  double wait_seconds = 0;   ///< compute waited for its load
};

/// Where the time of a run went, seconds of wall time. With several computers the two waits may be counted for the same moment.
struct PipelineTimes {
  double first_arrival = 0;  ///< from the start until the first tile was there
  double load_wait = 0;      ///< nothing was computed: a later tile was waited for
  double write_wait = 0;     ///< nothing was computed: writers held it back
  double compute = 0;        ///< some batch was in the compute stage
  double write = 0;          ///< in the write stage, summed over writers
  double drain = 0;          ///< after the last compute, until everything is written
  double wall = 0;
  /// Busy time of compute over the time from the first arrival to the last compute.
  double utilisation() const noexcept {
    const double span = wall - first_arrival - drain;
    return span <= 0 ? 0.0 : compute / span;
  }
};

/// Loads, computes and writes tiles with all three overlapped: while tile N is computed, tile N+1 is loaded and tile N−1 written.
/// Order is kept (with several computers, tiles are begun in order, and written as they come), errors are isolated (a failed tile is an
/// error record; its batch is computed again one by one), a slow writer holds compute back.
class AsyncPipeline {
 public:
  /// loader and trace (may be null) must outlive the pipeline. Throws InvalidArgument for options out of range.
  AsyncPipeline(prefetch::AsyncTileLoader& loader, AsyncPipelineOptions options, Trace* trace = nullptr);

  /// Processes the tasks; one record each, in their order. Returns when everything is written. After a stop request tasks not yet computed
  /// end with Cancelled; those computed are still written.
  std::vector<TaskRecord> process(std::span<const TileTask> tasks, const Stages& stages, std::stop_token stop = {});

  /// The short form: fn for every tile, in order; its results are in the records.
  std::vector<TaskRecord> process_tiles(std::span<const std::string> paths, const std::function<ProductHandle(const prefetch::Tile&)>& fn);

  /// Of the last run.
  const PipelineTimes& times() const noexcept { return times_; }

  /// How far the current run is. Thread-safe, also while process() runs.
  struct Progress {
    std::uint64_t tiles = 0;     ///< computed, well or not
    double compute_seconds = 0;  ///< some batch was in the compute stage
  };
  Progress progress() const noexcept { return {tiles_computed_, computed_}; }

  /// What compute waited for most until now: "load", "write", or "" where it hardly waited. Thread-safe, also while process() runs.
  const char* waiting_for() const noexcept;

 private:
  class Run;
  prefetch::AsyncTileLoader& loader_;
  const AsyncPipelineOptions options_;
  Trace* trace_;
  PipelineTimes times_;
  std::atomic<std::uint64_t> tiles_computed_{0};
  std::atomic<double> computed_{0}, waited_load_{0}, waited_write_{0};  ///< seconds, of the current run
};

}  // namespace tuile::pipeline
