#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tuile/pipeline/lidar_processor.hpp"
#include "workload.hpp"

namespace tuile::bench {

/// Changes of the default configuration.
using Adjust = std::function<void(config::Config&)>;

/// One `process` of the inputs into `output`, everything done anew, with the workload's threads. Throws CorruptData where a tile fails.
pipeline::RunSummary run_pipeline(const Workload& workload, const std::vector<std::string>& inputs, const std::string& output,
                                  const Adjust& adjust = {});

/// Share of the loads' time that nobody waited for, the first tile's apart: nothing can hide that one.
double hidden_after_first(const pipeline::RunSummary& run);

/// What a run could at best take: waiting, `waiting_seconds` shared by `lanes` that wait at once, beside computing on all cores; and before
/// both the wait for the first tile.
double best_wall(const pipeline::RunSummary& run, double waiting_seconds, int lanes, double first_wait);

}  // namespace tuile::bench
