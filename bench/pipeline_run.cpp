#include "pipeline_run.hpp"

#include <algorithm>

#include "tuile/core/error.hpp"

namespace tuile::bench {

pipeline::RunSummary run_pipeline(const Workload& workload, const std::vector<std::string>& inputs, const std::string& output,
                                  const Adjust& adjust) {
  pipeline::ProcessOptions options;
  options.config.input = inputs;
  options.config.output = output;
  if (workload.options().threads > 0) options.config.threads = workload.options().threads;
  if (adjust) adjust(options.config);
  options.overwrite = true;
  pipeline::RunSummary summary = pipeline::LidarProcessor(std::move(options)).process();
  if (!summary.failed.empty()) throw CorruptData(summary.failed.front().path + ": " + summary.failed.front().message);
  return summary;
}

double hidden_after_first(const pipeline::RunSummary& run) {
  const double hideable = run.loader.io_seconds - run.times.first_arrival;
  return hideable <= 0 ? 1.0 : std::clamp(1 - run.times.load_wait / hideable, 0.0, 1.0);
}

double best_wall(const pipeline::RunSummary& run, double waiting_seconds, int lanes, double first_wait) {
  return std::max(waiting_seconds / std::max(1, lanes), run.cpu_seconds / run.threads) + first_wait;
}

}  // namespace tuile::bench
