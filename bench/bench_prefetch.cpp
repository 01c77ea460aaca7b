#include <algorithm>
#include <chrono>
#include <thread>

#include "alternate.hpp"
#include "bench.hpp"
#include "tuile/prefetch/async_tile_loader.hpp"

namespace tuile::bench {

Row bench_preload_call() {
  prefetch::LoaderOptions options;
  options.num_workers = 4;
  options.cache_size = 64;
  prefetch::AsyncTileLoader loader(options, [](const prefetch::TileRequest&, std::stop_token) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    prefetch::Tile tile;
    tile.points.units = Buffer<GridPoint>(10'000, GridPoint{});
    return tile;
  });
  constexpr int calls = 20'000;
  std::vector<double> times;
  times.reserve(calls);
  for (int i = 0; i < calls; ++i) {
    const std::string path = "tile" + std::to_string(i);
    times.push_back(seconds_of([&] { loader.preload_tile(path); }));
  }
  loader.shutdown();
  std::sort(times.begin(), times.end());
  Row row;
  row.name = "prefetch.call_p999";
  row.value = 1e3 * times[calls - calls / 1000];
  row.unit = "ms";
  row.baseline_name = "1 ms";
  row.baseline = 1;
  row.ratio = row.value;
  row.target = 1;
  row.higher_is_better = false;
  row.runs = calls;
  return row;
}

}  // namespace tuile::bench
