#include <string>

#include "alternate.hpp"
#include "bench.hpp"
#include "child_process.hpp"
#include "pipeline_run.hpp"

namespace tuile::bench {

namespace {

// Fixed: the program would look for better settings as tiles go by, and what grows with the tiles should be seen alone.
constexpr int workers = 2, ahead = 3;

}  // namespace

std::vector<Row> bench_growth(Workload& workload) {
  const std::vector<std::string>& hundred = workload.small_tiles();
  const std::vector<std::string> ten(hundred.begin(), hundred.begin() + 10);
  const std::string output = workload.fresh_folder("growth");
  // Without a halo: the ten stand in a row and have fewer neighbours than the hundred.
  const auto nanoseconds_per_point = [&](const std::vector<std::string>& tiles) {
    const pipeline::RunSummary run = run_pipeline(workload, tiles, output, [](config::Config& config) {
      config.halo = 0;
      config.prefetch.workers = workers;
      config.prefetch.ahead = ahead;
      config.batch.size = 1;
    });
    return 1e9 * run.times.wall / static_cast<double>(run.points);
  };
  nanoseconds_per_point(hundred);
  std::vector<double> of_ten, of_hundred;
  for (int i = 0; i < workload.sizes().runs; ++i) {
    of_ten.push_back(nanoseconds_per_point(ten));
    of_hundred.push_back(nanoseconds_per_point(hundred));
  }
  const auto megabytes = [&](const std::vector<std::string>& tiles) {
    std::vector<std::string> arguments{"process",
                                       "-q",
                                       "--overwrite",
                                       "--set",
                                       "halo=0",
                                       "-o",
                                       output,
                                       "--workers",
                                       std::to_string(workers),
                                       "--set",
                                       "prefetch.ahead=" + std::to_string(ahead),
                                       "--batch",
                                       "1"};
    if (workload.options().threads > 0) arguments.insert(arguments.end(), {"--threads", std::to_string(workload.options().threads)});
    arguments.insert(arguments.end(), tiles.begin(), tiles.end());
    return 1e-6 * static_cast<double>(run_child(workload.options().program, arguments).peak_anonymous);
  };
  std::vector<double> memory_of_ten, memory_of_hundred;
  for (int i = 0; i < workload.sizes().pipeline_runs; ++i) {
    memory_of_ten.push_back(megabytes(ten));
    memory_of_hundred.push_back(megabytes(hundred));
  }
  return {cost_row("growth.time_per_point", of_hundred, "ns per point, 100 tiles", "10 of these tiles", of_ten, 1.05),
          cost_row("growth.memory", memory_of_hundred, "MB anonymous at most, 100 tiles", "10 of these tiles", memory_of_ten, 1.05)};
}

}  // namespace tuile::bench
