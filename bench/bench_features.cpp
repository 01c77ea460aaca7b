#include <string>

#include "alternate.hpp"
#include "bench.hpp"
#include "peer.hpp"
#include "tuile/compute/backend.hpp"
#include "workload.hpp"

namespace tuile::bench {

namespace {

constexpr const char* unit = "M points/s, search tree included";
constexpr const char* baseline_name = "nanoflann + Eigen, four eigen-features, the same threads";

/// The sets that are measured on one neighbourhood, beside one baseline.
struct Group {
  features::Neighbourhood neighbourhood;
  std::vector<std::string> sets;
};

std::string suffix(const features::Neighbourhood& neighbourhood) {
  if (neighbourhood.radius > 0) return "radius_1m";
  std::string text = "k";
  text += std::to_string(neighbourhood.k);
  return text;
}

}  // namespace

std::vector<Row> bench_features(const PointBlock& points, Executor& executor, int runs) {
  const Peer peer(points);
  const auto backend = compute::make_backend("cpu", executor);
  compute::TileInput tile;
  tile.core = &points;
  const double millions = 1e-6 * static_cast<double>(points.size());
  std::vector<Row> rows;
  for (const Group& group : {Group{{.k = 20}, {"minimal", "lod2", "lod3", "full"}}, Group{{.k = 10}, {"lod2"}}, Group{{.k = 50}, {"lod2"}},
                             Group{{.radius = 1.0}, {"lod2"}}}) {
    std::vector<features::FeaturePlan> plans;
    for (const std::string& set : group.sets) plans.push_back(neighbourhood_plan(set, group.neighbourhood));
    std::vector<std::function<void()>> works{[&] { peer.features(group.neighbourhood, executor); }};
    for (const features::FeaturePlan& plan : plans) works.emplace_back([&] { backend->compute({&tile, 1}, plan, {}, {}); });
    const std::vector<Times> times = alternate(runs, works);
    for (std::size_t i = 0; i < group.sets.size(); ++i) {
      const bool is_target = group.sets[i] == "lod2" && (group.neighbourhood.radius > 0 || group.neighbourhood.k == 20);
      rows.push_back(speed_row("features." + group.sets[i] + "_" + suffix(group.neighbourhood), millions, unit, times[i + 1], baseline_name,
                               times[0], is_target ? std::optional(4.0) : std::nullopt));
    }
  }
  return rows;
}

std::vector<Row> bench_ground(const PointBlock& points, Executor& executor, int runs) {
  const auto backend = compute::make_backend("cpu", executor);
  compute::TileInput tile;
  tile.core = &points;
  const features::FeaturePlan height = features::make_plan({"height_above_ground"}, {features::Neighbourhood{}});
  const features::FeaturePlan eigen = neighbourhood_plan("lod2", {});
  const auto [height_times, eigen_times] = alternate(
      runs,
      [&] {
        backend->compute({&tile, 1}, height, {}, {});
      },
      [&] {
        backend->compute({&tile, 1}, eigen, {}, {});
      });
  return {speed_row("features.height_above_ground", 1e-6 * static_cast<double>(points.size()), "M points/s, triangulation included",
                    height_times, "lod2 eigen-features (k = 20) of the same points", eigen_times, std::nullopt)};
}

}  // namespace tuile::bench
