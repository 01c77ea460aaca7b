#include "bench.hpp"
#include "bench_features.hpp"

namespace tuile::bench {

std::vector<Row> bench_features(const PointBlock& points, Executor& executor, int runs) {
  std::vector<Row> rows;
  for (const bool by_radius : {false, true}) {
    const FeatureBenchResult result =
        bench_features(points, by_radius ? features::Neighbourhood{.radius = 1.0} : features::Neighbourhood{}, executor, runs);
    Row row;
    row.name = by_radius ? "features.radius_1m" : "features.lod2_k20";
    row.value = 1e-6 * static_cast<double>(points.size()) / result.seconds;
    row.unit = "M points/s, search tree included";
    row.baseline_name = "nanoflann + Eigen, the same threads";
    row.baseline = 1e-6 * static_cast<double>(points.size()) / result.baseline_seconds;
    row.ratio = result.ratio();
    row.target = 4;
    row.runs = result.runs;
    rows.push_back(row);
  }
  return rows;
}

}  // namespace tuile::bench
