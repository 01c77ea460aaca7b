#pragma once

#include "pipeline/run_counters.hpp"
#include "pipeline/run_setup.hpp"
#include "pipeline/tile_outlet.hpp"
#include "tuile/pipeline/trace.hpp"

namespace tuile::pipeline {

/// Loads, computes and finishes every planned tile of a run, all three at once. trace may be null.
void run_tiles(RunSetup& setup, TileOutlet& outlet, RunCounters& counters, Trace* trace);

}  // namespace tuile::pipeline
