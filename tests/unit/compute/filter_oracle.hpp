#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "clouds.hpp"
#include "tuile/compute/backend.hpp"

namespace tuile::test {

/// The filters by brute force: all pairs, in 128-bit integers and long doubles.
class FilterOracle {
 public:
  __extension__ using Wide = __int128;

  FilterOracle(const Cloud& core, const Cloud& halo, double scale, std::array<std::int64_t, 3> origin = {0, 0, 0})
      : points_(core.points), classes_(core.classes), core_(core.points.size()), scale_(scale), origin_(origin) {
    classes_.resize(core_, 1);
    points_.insert(points_.end(), halo.points.begin(), halo.points.end());
    classes_.insert(classes_.end(), halo.classes.begin(), halo.classes.end());
    classes_.resize(points_.size(), 1);
    valid.assign(points_.size(), 1);
  }

  void run(const compute::Preprocess& p) {
    remove(removed.classes, [&](std::size_t i) {
      return std::find(p.exclude_classes.begin(), p.exclude_classes.end(), classes_[i]) != p.exclude_classes.end();
    });
    if (p.statistical_outliers.k > 0) statistical(p.statistical_outliers);
    if (p.radius_outliers.radius > 0) radius(p.radius_outliers);
    if (p.voxel > 0) voxel(p.voxel);
  }

  std::vector<std::uint8_t> valid;  ///< of core, then halo
  compute::TileOutput::Removed removed;
  std::size_t undecided = 0;  ///< points whose distances lie within rounding of the threshold

 private:
  template <class Predicate>
  void remove(std::uint64_t& count, Predicate&& goes) {
    std::vector<std::size_t> gone;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      if (valid[i] != 0 && goes(i)) gone.push_back(i);
    }
    for (const std::size_t i : gone) {
      valid[i] = 0;
      count += i < core_ ? 1 : 0;
    }
  }

  Wide squared(std::size_t i, std::size_t j) const {
    const Wide x = Wide{points_[i].x} - points_[j].x, y = Wide{points_[i].y} - points_[j].y, z = Wide{points_[i].z} - points_[j].z;
    return x * x + y * y + z * z;
  }

  /// ⌊256 √d2⌋ in integers.
  static Wide quantised(Wide d2) {
    const Wide value = d2 * 65536;
    auto root = static_cast<Wide>(std::sqrt(static_cast<long double>(value)));
    while (root * root > value) --root;
    while ((root + 1) * (root + 1) <= value) ++root;
    return root;
  }

  void statistical(const compute::Preprocess::StatisticalOutliers& filter) {
    std::vector<Wide> sums(points_.size(), 0);
    for (std::size_t i = 0; i < points_.size(); ++i) {
      if (valid[i] == 0) continue;
      std::vector<Wide> others;
      for (std::size_t j = 0; j < points_.size(); ++j) {
        if (j != i && valid[j] != 0) others.push_back(squared(i, j));
      }
      const std::size_t k = std::min<std::size_t>(others.size(), static_cast<std::size_t>(filter.k));
      std::partial_sort(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(k), others.end());
      for (std::size_t n = 0; n < k; ++n) sums[i] += quantised(others[n]);
    }
    long double mean = 0, variance = 0, count = 0;
    for (std::size_t i = 0; i < core_; ++i) count += valid[i];
    for (std::size_t i = 0; i < core_; ++i) mean += valid[i] != 0 ? static_cast<long double>(sums[i]) / count : 0;
    for (std::size_t i = 0; i < core_; ++i) {
      const long double apart = static_cast<long double>(sums[i]) - mean;
      variance += valid[i] != 0 ? apart * apart / count : 0;
    }
    if (count == 0) return;
    const long double threshold = mean + static_cast<long double>(filter.deviations) * std::sqrt(variance);
    const bool equal = std::sqrt(variance) <= mean * 1e-15L;
    remove(removed.statistical, [&](std::size_t i) {
      const auto sum = static_cast<long double>(sums[i]);
      if (equal) return sum > mean * (1 + 1e-12L);
      undecided += std::abs(sum - threshold) <= threshold * 1e-12L ? 1 : 0;
      return sum > threshold;
    });
  }

  void radius(const compute::Preprocess::RadiusOutliers& filter) {
    const double units = filter.radius / scale_;
    const auto limit = static_cast<Wide>(std::floor(units * units * (1 + 1e-12)));
    remove(removed.radius, [&](std::size_t i) {
      int others = 0;
      for (std::size_t j = 0; j < points_.size(); ++j) others += j != i && valid[j] != 0 && squared(i, j) <= limit ? 1 : 0;
      return others < filter.min_neighbors;
    });
  }

  /// By integer division where the edge is a whole number of units, which is what an exact reading of it asks for.
  double cell(std::int32_t unit, std::size_t axis, double size) const {
    const std::int64_t at = origin_[axis] + unit;
    const auto whole = static_cast<std::int64_t>(std::llround(size / scale_));
    if (whole < 1 || std::abs(size / scale_ - static_cast<double>(whole)) > 1e-9 * static_cast<double>(whole)) {
      return std::floor(static_cast<double>(at) * (scale_ / size));
    }
    return static_cast<double>(at >= 0 ? at / whole : -((-at + whole - 1) / whole));
  }

  void voxel(double size) {
    std::map<std::tuple<double, double, double>, std::size_t> best;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      if (valid[i] == 0) continue;
      const GridPoint& p = points_[i];
      const auto [at, is_new] = best.try_emplace({cell(p.x, 0, size), cell(p.y, 1, size), cell(p.z, 2, size)}, i);
      const GridPoint& other = points_[at->second];
      if (!is_new && std::tie(p.x, p.y, p.z) < std::tie(other.x, other.y, other.z)) at->second = i;
    }
    std::vector<std::uint8_t> kept(points_.size(), 0);
    for (const auto& [key, i] : best) kept[i] = 1;
    remove(removed.voxel, [&](std::size_t i) { return kept[i] == 0; });
  }

  std::vector<GridPoint> points_;
  std::vector<std::uint8_t> classes_;
  std::size_t core_;
  double scale_;
  std::array<std::int64_t, 3> origin_;
};

}  // namespace tuile::test
