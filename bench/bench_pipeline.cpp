#include <string>

#include "alternate.hpp"
#include "bench.hpp"
#include "pipeline_run.hpp"

namespace tuile::bench {

std::vector<Row> bench_pipeline(Workload& workload) {
  const std::vector<std::string>& tiles = workload.tiles();
  const std::string output = workload.fresh_folder("pipeline");
  std::vector<double> wall, bound, sequential, utilisation, hidden;
  std::uint64_t points = 0;
  run_pipeline(workload, tiles, output);  // warms the page cache
  for (int i = 0; i < workload.sizes().pipeline_runs; ++i) {
    const pipeline::RunSummary run = run_pipeline(workload, tiles, output);
    wall.push_back(run.times.wall);
    bound.push_back(run.cpu_seconds / run.threads);
    utilisation.push_back(run.times.utilisation());
    hidden.push_back(hidden_after_first(run));
    points = run.points;
    sequential.push_back(run_pipeline(workload, tiles, output, [](config::Config& config) { config.prefetch.workers = 0; }).times.wall);
  }
  const std::string unit = "s for " + std::to_string(tiles.size()) + " tiles, " + std::to_string(points) + " points";
  const std::vector<double> one(wall.size(), 1.0);
  Row busy =
      cost_row("pipeline.compute_utilisation", utilisation, "busy time of compute / time from first tile to last compute", "1", one, 0.95);
  Row covered = cost_row("pipeline.io_hidden_ratio", hidden, "of the loads' time but the first tile's", "1", one, 0.95);
  busy.higher_is_better = covered.higher_is_better = true;
  return {cost_row("pipeline.cpu_bound", wall, unit, "CPU seconds of the run / cores", bound, 1.08),
          cost_row("pipeline.async_over_sequential", wall, unit, "the same with --no-async", sequential, 1.0), busy, covered};
}

}  // namespace tuile::bench
