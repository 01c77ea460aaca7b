#include <string>

#include "alternate.hpp"
#include "bench.hpp"
#include "slow_services.hpp"

namespace tuile::bench {

namespace {

constexpr std::size_t most_tiles = 10;  // the first one's wait is harder to make up for than with twenty

}  // namespace

std::vector<Row> bench_slow_store(Workload& workload) {
  const std::vector<std::string> tiles = workload.some_tiles(most_tiles);
  const std::string output = workload.fresh_folder("slow_store");
  const auto count = static_cast<double>(tiles.size());
  run_pipeline(workload, tiles, output);
  const SlowStore store(tiles, run_pipeline(workload, tiles, output).times.wall / count);
  std::vector<double> wall, bound, hidden;
  for (int i = 0; i < workload.sizes().pipeline_runs; ++i) {
    const pipeline::RunSummary run = run_pipeline(workload, store.urls(), output);
    wall.push_back(run.times.wall);
    bound.push_back(best_wall(run, run.reader.read_seconds, run.workers, run.reader.read_seconds / count));
    hidden.push_back(hidden_after_first(run));
  }
  Row covered = cost_row("pipeline.slow_store_io_hidden", hidden, "of the loads' time but the first tile's", "1",
                         std::vector<double>(hidden.size(), 1.0), 0.95);
  covered.higher_is_better = true;
  return {cost_row("pipeline.slow_store", wall,
                   "s for " + std::to_string(tiles.size()) + " tiles over HTTP, a tile's bytes as slow as its computation",
                   "max(I/O / workers, CPU / cores) + first tile's I/O", bound, 1.05),
          covered};
}

std::vector<Row> bench_slow_wfs(Workload& workload) {
  const std::vector<std::string> tiles = workload.some_tiles(most_tiles);
  const std::string output = workload.fresh_folder("slow_wfs");
  // A server of its own for each run: what it answered stays in the memory of this process.
  run_pipeline(workload, tiles, output);
  const SlowServer fast({});
  const double fast_wall = run_pipeline(workload, tiles, output, use_wfs(fast)).times.wall;
  // Half of what would keep the service as busy as the processors.
  const double latency = 0.5 * wfs_lanes * fast_wall / static_cast<double>(fast.requests());
  std::vector<double> wall, bound;
  for (int i = 0; i < workload.sizes().pipeline_runs; ++i) {
    const SlowServer slow({.latency = latency});
    const pipeline::RunSummary run = run_pipeline(workload, tiles, output, use_wfs(slow));
    wall.push_back(run.times.wall);
    bound.push_back(best_wall(run, latency * static_cast<double>(slow.requests()), wfs_lanes, run.times.first_arrival));
  }
  return {cost_row("pipeline.slow_wfs", wall,
                   "s for " + std::to_string(tiles.size()) + " tiles, half a tile's computation waiting per tile",
                   "max(latencies / 4 requests at once, CPU / cores) + first tile's load", bound, 1.05)};
}

}  // namespace tuile::bench
