#include <unistd.h>

#include <filesystem>
#include <string>

#include "bench.hpp"
#include "tuile/core/error.hpp"
#include "tuile/pipeline/lidar_processor.hpp"

namespace fs = std::filesystem;

namespace tuile::bench {

namespace {

/// A folder that goes with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(fs::temp_directory_path() / ("tuile-bench-" + std::to_string(::getpid()))) { fs::create_directories(path_); }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

pipeline::RunSummary process(const std::vector<std::string>& paths, const std::string& output, int threads, bool sequential) {
  pipeline::ProcessOptions options;
  options.config.input = paths;
  options.config.output = output;
  if (threads > 0) options.config.threads = threads;
  if (sequential) options.config.prefetch.workers = 0;
  options.overwrite = true;
  pipeline::RunSummary summary = pipeline::LidarProcessor(std::move(options)).process();
  if (!summary.failed.empty()) throw CorruptData("bench pipeline: " + summary.failed.front().path + ": " + summary.failed.front().message);
  return summary;
}

}  // namespace

std::vector<Row> bench_pipeline(const std::vector<std::string>& paths, int threads, int runs) {
  const TemporaryFolder folder;
  std::vector<double> wall, bound, sequential, utilisation;
  std::uint64_t points = 0;
  process(paths, folder.path(), threads, false);  // warms the page cache
  for (int i = 0; i < runs; ++i) {
    const pipeline::RunSummary run = process(paths, folder.path(), threads, false);
    wall.push_back(run.times.wall);
    bound.push_back(run.cpu_seconds / run.threads);
    utilisation.push_back(run.times.utilisation());
    points = run.points;
    sequential.push_back(process(paths, folder.path(), threads, true).times.wall);
  }
  Row cpu_bound;
  cpu_bound.name = "pipeline.cpu_bound";
  cpu_bound.value = median(wall);
  cpu_bound.unit = "s for " + std::to_string(paths.size()) + " tiles, " + std::to_string(points) + " points";
  cpu_bound.baseline_name = "CPU seconds of the run / cores";
  cpu_bound.baseline = median(bound);
  cpu_bound.ratio = cpu_bound.value / cpu_bound.baseline;
  cpu_bound.target = 1.08;
  cpu_bound.higher_is_better = false;
  cpu_bound.runs = runs;

  Row overlap = cpu_bound;
  overlap.name = "pipeline.async_over_sequential";
  overlap.baseline_name = "the same with --no-async";
  overlap.baseline = median(sequential);
  overlap.ratio = overlap.value / overlap.baseline;
  overlap.target = 1.0;

  Row busy;
  busy.name = "pipeline.compute_utilisation";
  busy.value = busy.ratio = median(utilisation);
  busy.unit = "busy time of compute / time from first tile to last compute";
  busy.baseline_name = "1";
  busy.baseline = 1;
  busy.target = 0.95;
  busy.runs = runs;
  return {cpu_bound, overlap, busy};
}

}  // namespace tuile::bench
