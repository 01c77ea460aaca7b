#pragma once

#include <cstdint>

#include "pipeline/run_plan.hpp"

namespace tuile::pipeline {

/// How the memory budget is shared, and how far ahead tiles are loaded.
struct MemoryPlan {
  std::uint64_t budget = 0;   ///< bytes
  std::uint64_t loading = 0;  ///< for tiles loaded and being loaded: the loader's part
  std::uint64_t working = 0;  ///< for the batch in compute and the tiles being written, by the largest tiles of the run
  std::uint64_t strips = 0;   ///< for border strips
  std::uint64_t tile = 0;     ///< of the largest tile, loaded
  /// What the run begins with; `most`: what may be chosen while it goes, where a setting is `auto`.
  int workers = 0, ahead = 0, batch = 1, writers = 1;
  int most_workers = 0, most_ahead = 0, most_batch = 1;
  int computers = 1;  ///< batches in compute at once
  int pending = 1;    ///< computed tiles that may wait for a writer

  /// The largest tiles leave no room for the usual ways: `auto` settings stay at what the run begins with.
  bool tight = false;
  std::uint64_t search = 0;                 ///< bytes for a tile's neighbour search and ground surface: BackendOptions::memory; 0: no limit
  std::uint64_t spilled_rows = UINT64_MAX;  ///< a tile whose rows take so many bytes or more has them in a temporary file

  /// What compute, writing and border strips take, bytes.
  std::uint64_t needed() const noexcept { return working + strips; }
  /// Whether the run will pass its budget all the same.
  bool passes_budget() const noexcept { return needed() > budget; }
};

/// What the backend means for memory.
struct ComputeTraits {
  int concurrency = 1;  ///< calls of compute at once
  compute::MemoryCost cost;
};
ComputeTraits traits_of(const compute::Backend& backend);

/// Settles everything that is `auto`. A tile is never refused: where the budget is too small for the usual ways, fewer tiles are under way,
/// at last one; the largest are computed in blocks, and their rows wait in files.
/// colours: fetched from images whose finest pixel has `pixel` metres (0: none are).
MemoryPlan plan_memory(const RunPlan& plan, const config::Config& config, FieldSet colours, double pixel, const ComputeTraits& compute);

}  // namespace tuile::pipeline
