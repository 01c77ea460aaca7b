#include <algorithm>
#include <string>

#include "alternate.hpp"
#include "bench.hpp"
#include "slow_services.hpp"

namespace tuile::bench {

namespace {

struct Setting {
  int workers, ahead, batch;
  void apply(config::Config& config) const {
    config.prefetch.workers = workers;
    config.prefetch.ahead = ahead;
    config.batch.size = batch;
  }
  std::string text() const {
    return std::to_string(workers) + " workers, " + std::to_string(ahead) + " ahead, batches of " + std::to_string(batch);
  }
};

std::vector<Setting> grid() {
  std::vector<Setting> settings;
  for (const int workers : {1, 2, 4}) {
    for (const int ahead : {1, 3, 6}) {
      for (const int batch : {1, 2}) settings.push_back({workers, ahead, batch});
    }
  }
  return settings;
}

/// The grid is run once; then its best three alternate with the automatic settings, so that no lucky run wins.
template <class Wall>
Row tune(const std::string& name, Workload& workload, const Wall& wall) {
  std::vector<std::pair<double, Setting>> tried;
  for (const Setting& setting : grid()) {
    tried.emplace_back(wall([&](config::Config& config) { setting.apply(config); }), setting);
    workload.log(name + ", " + setting.text() + ": " + std::to_string(tried.back().first) + " s");
  }
  std::sort(tried.begin(), tried.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  tried.resize(3);
  const int runs = workload.sizes().runs;
  std::vector<double> automatic;
  std::vector<std::vector<double>> fixed(tried.size());
  for (int run = 0; run < runs; ++run) {
    automatic.push_back(wall([](config::Config&) {}));
    for (std::size_t i = 0; i < tried.size(); ++i) fixed[i].push_back(wall([&](config::Config& config) { tried[i].second.apply(config); }));
  }
  std::size_t best = 0;
  for (std::size_t i = 1; i < fixed.size(); ++i) {
    if (median(fixed[i]) < median(fixed[best])) best = i;
  }
  return cost_row("autotune." + name, automatic, "s with automatic settings",
                  "best of " + std::to_string(grid().size()) + " fixed settings: " + tried[best].second.text(), fixed[best], 1.05);
}

/// Runs of the tuning tiles, all settings but `adjust`'s as they are by default.
class Runs {
 public:
  explicit Runs(Workload& workload) : workload_(workload), output_(workload.fresh_folder("autotune")) {
    wall([](config::Config&) {});  // warms the page cache
  }
  double wall(const Adjust& adjust) { return wall(workload_.tuning_tiles(), adjust); }
  double wall(const std::vector<std::string>& tiles, const Adjust& adjust) {
    return run_pipeline(workload_, tiles, output_, adjust).times.wall;
  }
  double plain_wall() {
    return wall([](config::Config&) {});
  }

 private:
  Workload& workload_;
  const std::string output_;
};

}  // namespace

std::vector<Row> bench_autotune_fast_disk(Workload& workload) {
  Runs runs(workload);
  return {tune("fast_disk", workload, [&](const Adjust& adjust) { return runs.wall(adjust); })};
}

std::vector<Row> bench_autotune_slow_store(Workload& workload) {
  Runs runs(workload);
  const std::vector<std::string>& tiles = workload.tuning_tiles();
  const SlowStore store(tiles, runs.plain_wall() / static_cast<double>(tiles.size()));
  return {tune("slow_store", workload, [&](const Adjust& adjust) { return runs.wall(store.urls(), adjust); })};
}

std::vector<Row> bench_autotune_slow_wfs(Workload& workload) {
  Runs runs(workload);
  // A server of its own for each run: what it answered stays in the memory of this process.
  const auto wall = [&](double latency, const Adjust& adjust, std::uint64_t* requests = nullptr) {
    const SlowServer server({.latency = latency});
    const double seconds = runs.wall([&](config::Config& config) {
      use_wfs(server)(config);
      adjust(config);
    });
    if (requests != nullptr) *requests = server.requests();
    return seconds;
  };
  std::uint64_t requests = 0;
  const double fast_wall = wall(
      0, [](config::Config&) {}, &requests);
  const double latency = 0.5 * wfs_lanes * fast_wall / static_cast<double>(requests);  // the service is half as busy as the processors
  return {tune("slow_wfs", workload, [&](const Adjust& adjust) { return wall(latency, adjust); })};
}

}  // namespace tuile::bench
