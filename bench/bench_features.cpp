#include "bench_features.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <chrono>
#include <nanoflann.hpp>
#include <string>
#include <vector>

#include "tuile/compute/backend.hpp"
#include "tuile/core/error.hpp"

namespace tuile::bench {

namespace {

struct Cloud {
  std::vector<std::array<float, 3>> points;
  std::size_t kdtree_get_point_count() const { return points.size(); }
  float kdtree_get_pt(std::size_t i, std::size_t d) const { return points[i][d]; }
  template <class Box>
  bool kdtree_get_bbox(Box&) const {
    return false;
  }
};
using Tree = nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Simple_Adaptor<float, Cloud>, Cloud, 3, std::uint32_t>;

void eigen_features(const Cloud& cloud, const float* query, const std::uint32_t* found, std::size_t count, float* row) {
  const Eigen::Vector3d centre(query[0], query[1], query[2]);
  Eigen::Vector3d sum = Eigen::Vector3d::Zero();
  Eigen::Matrix3d squares = Eigen::Matrix3d::Zero();
  for (std::size_t j = 0; j < count; ++j) {
    const auto& p = cloud.points[found[j]];
    const Eigen::Vector3d d = Eigen::Vector3d(p[0], p[1], p[2]) - centre;
    sum += d;
    squares += d * d.transpose();
  }
  const auto n = static_cast<double>(count);
  const Eigen::Matrix3d covariance = squares / n - (sum / n) * (sum / n).transpose();
  Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> solver;
  solver.computeDirect(covariance);
  const Eigen::Vector3d l = solver.eigenvalues().cwiseMax(0.0);
  const double nz = std::abs(solver.eigenvectors()(2, 0));
  const double unit = l[2] > 1e-12 ? 1.0 / l[2] : 0.0;
  row[0] = static_cast<float>(nz);
  row[1] = static_cast<float>((l[1] - l[0]) * unit);
  row[2] = static_cast<float>((l[2] - l[1]) * unit);
  row[3] = static_cast<float>(1 - nz);
}

std::vector<float> baseline(const Cloud& cloud, const features::Neighbourhood& neighbourhood, Executor& executor) {
  const Tree tree(3, cloud, nanoflann::KDTreeSingleIndexAdaptorParams(16));
  std::vector<float> rows(cloud.points.size() * 4);
  constexpr std::size_t points_per_task = 8192;
  executor.for_each((cloud.points.size() + points_per_task - 1) / points_per_task, [&](std::size_t task) {
    const auto k = static_cast<std::size_t>(neighbourhood.k);
    const auto most = static_cast<std::size_t>(neighbourhood.max_neighbors);
    const auto radius = static_cast<float>(neighbourhood.radius);
    std::vector<std::uint32_t> found(k);
    std::vector<float> distances(k);
    std::vector<std::pair<std::uint32_t, float>> within;
    const std::size_t end = std::min(cloud.points.size(), (task + 1) * points_per_task);
    for (std::size_t i = task * points_per_task; i < end; ++i) {
      const float* const query = cloud.points[i].data();
      std::size_t count = 0;
      if (neighbourhood.radius > 0) {
        within.clear();
        count = tree.radiusSearch(query, radius * radius, within, nanoflann::SearchParams(32, 0, false));
        if (count > most) {
          std::nth_element(within.begin(), within.begin() + static_cast<std::ptrdiff_t>(most), within.end(),
                           [](const auto& a, const auto& b) { return a.second < b.second; });
          count = most;
        }
        found.resize(std::max(found.size(), count));
        for (std::size_t j = 0; j < count; ++j) found[j] = within[j].first;
      } else {
        count = tree.knnSearch(query, k, found.data(), distances.data());
      }
      eigen_features(cloud, query, found.data(), count, rows.data() + i * 4);
    }
  });
  return rows;
}

template <class Work>
double seconds(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

FeatureBenchResult bench_features(const PointBlock& points, const features::Neighbourhood& neighbourhood, Executor& executor, int runs) {
  if (runs < 1) throw InvalidArgument("runs is " + std::to_string(runs) + "; 1 or more is expected");
  if (points.size() == 0) throw InvalidArgument("the block has no points; give a tile to measure on");
  Cloud cloud;
  for (const GridPoint& p : points.units) {
    const double s = points.grid.scale;
    cloud.points.push_back({static_cast<float>(p.x * s), static_cast<float>(p.y * s), static_cast<float>(p.z * s)});
  }
  const auto plan = features::make_plan({"normal_z", "planarity", "linearity", "verticality"}, {neighbourhood});
  const auto backend = compute::make_backend("cpu", executor);
  compute::TileInput tile;
  tile.core = &points;
  std::vector<double> theirs, ours;
  for (int run = 0; run < runs; ++run) {
    theirs.push_back(seconds([&] { baseline(cloud, neighbourhood, executor); }));
    ours.push_back(seconds([&] { backend->compute({&tile, 1}, plan, {}, {}); }));
  }
  return {median(theirs), median(ours), runs};
}

}  // namespace tuile::bench
