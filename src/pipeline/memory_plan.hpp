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
  int pending = 1;  ///< computed tiles that may wait for a writer
};

/// Settles everything that is `auto`. A tile is never refused: where the budget is too small for one, one is worked on at a time.
/// colours: fetched from images whose finest pixel has `pixel` metres (0: none are).
MemoryPlan plan_memory(const RunPlan& plan, const config::Config& config, FieldSet colours, double pixel);

}  // namespace tuile::pipeline
