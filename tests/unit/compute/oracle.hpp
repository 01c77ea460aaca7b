#pragma once

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <tuple>
#include <vector>

#include "tuile/core/point_block.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::test {

/// Brute force in 128-bit integers and doubles, all pairs: what the definitions say, by other means.
struct Oracle {
  struct Neighbour {
    __extension__ __int128 d2;
    std::int64_t dx, dy, dz;
    auto key() const { return std::tie(d2, dx, dy, dz); }
  };

  static std::vector<Neighbour> neighbours(const std::vector<GridPoint>& points, std::size_t query, const features::Neighbourhood& scale,
                                           double unit) {
    std::vector<Neighbour> found;
    const double limit = std::floor(scale.radius * scale.radius / (unit * unit) * (1 + 1e-12));
    for (const GridPoint& p : points) {
      Neighbour n{0, std::int64_t{p.x} - points[query].x, std::int64_t{p.y} - points[query].y, std::int64_t{p.z} - points[query].z};
      __extension__ using Wide = __int128;
      n.d2 = Wide{n.dx} * n.dx + Wide{n.dy} * n.dy + Wide{n.dz} * n.dz;
      if (scale.radius == 0 || static_cast<double>(n.d2) <= limit) found.push_back(n);
    }
    const auto most = static_cast<std::size_t>(scale.radius > 0 ? scale.max_neighbors : scale.k);
    if (found.size() > most) {
      const auto nearer = [](const Neighbour& a, const Neighbour& b) { return a.key() < b.key(); };
      std::nth_element(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(most), found.end(), nearer);
      found.resize(most);
    }
    return found;
  }

  /// Values by name for one point; `height` in metres.
  struct Values {
    std::size_t n;
    double l1, l2, l3, nx, ny, nz;
    double std_z, range_z, extent;
    bool degenerate;
    double share(double v) const { return degenerate ? 0.0 : v / l1; }

    double of(features::Feature feature, double height) const {
      using features::Feature;
      const double sum = l1 + l2 + l3;
      const double planarity = share(l2 - l3);
      switch (feature) {
        case Feature::normal_x: return nx;
        case Feature::normal_y: return ny;
        case Feature::normal_z: return nz;
        case Feature::eigenvalue_1: return l1;
        case Feature::eigenvalue_2: return l2;
        case Feature::eigenvalue_3: return l3;
        case Feature::sum_eigenvalues: return sum;
        case Feature::linearity: return share(l1 - l2);
        case Feature::planarity: return planarity;
        case Feature::sphericity: return share(l3);
        case Feature::anisotropy: return share(l1 - l3);
        case Feature::omnivariance: return std::cbrt(l1 * l2 * l3);
        case Feature::eigenentropy: {
          double entropy = 0;
          for (const double l : {l1, l2, l3}) entropy -= degenerate || l <= 0 ? 0.0 : l / sum * std::log(l / sum);
          return entropy;
        }
        case Feature::curvature: return degenerate ? 0.0 : l3 / sum;
        case Feature::verticality: return 1 - nz;
        case Feature::horizontality: return nz;
        case Feature::wall_likelihood: return std::sqrt((1 - nz) * planarity);
        case Feature::roof_likelihood: return std::sqrt(nz * planarity);
        case Feature::wall_score: return (1 - nz) * planarity;
        case Feature::roof_score: return nz * planarity;
        case Feature::facade_score: return (1 - nz) * planarity * std::clamp(height / 3, 0.0, 1.0);
        case Feature::vertical_std: return std_z;
        case Feature::vertical_range: return range_z;
        case Feature::neighborhood_extent: return extent;
        case Feature::density: return extent > 0 ? static_cast<double>(n) / (4.0 / 3.0 * std::numbers::pi * std::pow(extent, 3)) : 0.0;
        default: return 0;
      }
    }
  };

  static Values values(const std::vector<Neighbour>& neighbours, double unit) {
    Values v{};
    v.n = neighbours.size();
    const auto n = static_cast<double>(v.n);
    Eigen::Vector3d mean = Eigen::Vector3d::Zero();
    double low = 0, high = 0, far2 = 0;
    const auto at = [&](const Neighbour& p) -> Eigen::Vector3d {
      return Eigen::Vector3d(static_cast<double>(p.dx), static_cast<double>(p.dy), static_cast<double>(p.dz)) * unit;
    };
    for (const Neighbour& p : neighbours) {
      mean += at(p) / n;
      low = std::min(low, static_cast<double>(p.dz) * unit);
      high = std::max(high, static_cast<double>(p.dz) * unit);
      far2 = std::max(far2, static_cast<double>(p.d2));
    }
    Eigen::Matrix3d covariance = Eigen::Matrix3d::Zero();
    for (const Neighbour& p : neighbours) covariance += (at(p) - mean) * (at(p) - mean).transpose() / n;
    const Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> solver(covariance);
    v.l1 = std::max(solver.eigenvalues()[2], 0.0);
    v.l2 = std::max(solver.eigenvalues()[1], 0.0);
    v.l3 = std::max(solver.eigenvalues()[0], 0.0);
    Eigen::Vector3d e3 = solver.eigenvectors().col(0);
    if (e3.z() < 0) e3 = -e3;
    v.degenerate = v.n < 3 || v.l1 <= 1e-12;
    if (v.degenerate) e3 = Eigen::Vector3d::UnitZ();
    v.nx = e3.x();
    v.ny = e3.y();
    v.nz = e3.z();
    v.std_z = std::sqrt(covariance(2, 2));
    v.range_z = high - low;
    v.extent = std::sqrt(far2) * unit;
    return v;
  }
};

/// Whether `got` is right by the design's accuracy: ratios 1e-4, likelihoods 2e-3, eigenvalues 1e-4 relative + 1e-7 m², what comes from the
/// normal only where it is defined.
inline bool agrees(features::Feature feature, double got, double expected, const Oracle::Values& v) {
  using features::Feature;
  const bool normal_defined = v.degenerate || (v.l2 - v.l3 > 1e-6 && v.nz > 1e-3);
  switch (feature) {
    case Feature::normal_x:
    case Feature::normal_y:
    case Feature::normal_z:
    case Feature::verticality:
    case Feature::horizontality:
    case Feature::wall_score:
    case Feature::roof_score:
    case Feature::facade_score: return !normal_defined || std::abs(got - expected) <= 1e-4;
    case Feature::wall_likelihood:
    case Feature::roof_likelihood: return !normal_defined || std::abs(got - expected) <= 2e-3;
    case Feature::eigenvalue_1:
    case Feature::eigenvalue_2:
    case Feature::eigenvalue_3:
    case Feature::sum_eigenvalues: return std::abs(got - expected) <= 1e-4 * expected + 1e-7;
    case Feature::omnivariance: return std::abs(got - expected) <= 1e-3 * expected + 1e-5 * v.l1 + 1e-7;
    case Feature::neighborhood_extent:
    case Feature::density:
    case Feature::vertical_range: return std::abs(got - expected) <= 1e-6 * std::abs(expected);  // from exact integers
    default: return std::abs(got - expected) <= 1e-4 * std::max(1.0, std::abs(expected));
  }
}

}  // namespace tuile::test
