#include "peer.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <nanoflann.hpp>
#include <utility>

namespace tuile::bench {

struct Peer::Cloud {
  std::vector<std::array<float, 3>> points;
  std::size_t kdtree_get_point_count() const { return points.size(); }
  float kdtree_get_pt(std::size_t i, std::size_t d) const { return points[i][d]; }
  template <class Box>
  bool kdtree_get_bbox(Box&) const {
    return false;
  }
};

namespace {

template <class Cloud>
using TreeOf = nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Simple_Adaptor<float, Cloud>, Cloud, 3, std::uint32_t>;

// Version 1.5 renamed the types of a search and learnt to build with threads.
#if NANOFLANN_VERSION >= 0x150
using Found = nanoflann::ResultItem<std::uint32_t, float>;
const nanoflann::SearchParameters unsorted(0, false);
nanoflann::KDTreeSingleIndexAdaptorParams build_parameters(int threads) {
  return {16, nanoflann::KDTreeSingleIndexAdaptorFlags::None, static_cast<unsigned>(threads)};
}
constexpr bool builds_in_parallel = true;
#else
using Found = std::pair<std::uint32_t, float>;
const nanoflann::SearchParams unsorted(32, 0, false);
nanoflann::KDTreeSingleIndexAdaptorParams build_parameters(int) { return nanoflann::KDTreeSingleIndexAdaptorParams(16); }
constexpr bool builds_in_parallel = false;
#endif

void eigen_features(const std::vector<std::array<float, 3>>& points, const float* query, const std::uint32_t* found, std::size_t count,
                    float* row) {
  const Eigen::Vector3d centre(query[0], query[1], query[2]);
  Eigen::Vector3d sum = Eigen::Vector3d::Zero();
  Eigen::Matrix3d squares = Eigen::Matrix3d::Zero();
  for (std::size_t j = 0; j < count; ++j) {
    const auto& p = points[found[j]];
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

}  // namespace

Peer::Peer(const PointBlock& points) : cloud_(std::make_unique<Cloud>()) {
  const double scale = points.grid.scale;
  cloud_->points.reserve(points.size());
  for (const GridPoint& p : points.units)
    cloud_->points.push_back({static_cast<float>(p.x * scale), static_cast<float>(p.y * scale), static_cast<float>(p.z * scale)});
}

Peer::~Peer() = default;

std::size_t Peer::size() const noexcept { return cloud_->points.size(); }

int Peer::build_threads(int wanted) noexcept { return builds_in_parallel ? wanted : 1; }

void Peer::build(int threads) const { const TreeOf<Cloud> tree(3, *cloud_, build_parameters(threads)); }

std::vector<float> Peer::features(const features::Neighbourhood& neighbourhood, Executor& executor) const {
  const TreeOf<Cloud> tree(3, *cloud_, build_parameters(executor.threads()));
  const auto& points = cloud_->points;
  std::vector<float> rows(points.size() * 4);
  constexpr std::size_t points_per_task = 8192;
  executor.for_each((points.size() + points_per_task - 1) / points_per_task, [&](std::size_t task) {
    const auto k = static_cast<std::size_t>(neighbourhood.k);
    const auto most = static_cast<std::size_t>(neighbourhood.max_neighbors);
    const auto radius = static_cast<float>(neighbourhood.radius);
    std::vector<std::uint32_t> found(k);
    std::vector<float> distances(k);
    std::vector<Found> within;
    const std::size_t end = std::min(points.size(), (task + 1) * points_per_task);
    for (std::size_t i = task * points_per_task; i < end; ++i) {
      const float* const query = points[i].data();
      std::size_t count = 0;
      if (neighbourhood.radius > 0) {
        within.clear();
        count = tree.radiusSearch(query, radius * radius, within, unsorted);
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
      eigen_features(points, query, found.data(), count, rows.data() + i * 4);
    }
  });
  return rows;
}

}  // namespace tuile::bench
