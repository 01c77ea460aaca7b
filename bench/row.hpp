#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tuile::bench {

/// One measured figure beside its baseline, both taken in the same run.
struct Row {
  std::string name;  ///< as in the targets, e.g. "features.lod2_k20"
  double value = 0;
  std::string unit;
  std::string baseline_name;
  double baseline = 0;  ///< same unit
  double ratio = 0;     ///< value over baseline, as the target counts it
  double target = 0;
  bool higher_is_better = true;
  int runs = 0;
  bool met() const noexcept { return higher_is_better ? ratio >= target : ratio <= target; }
};

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

inline double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Medians in seconds of two pieces of work run in turn, so that a drift of the machine meets both.
inline std::pair<double, double> alternate(int runs, const std::function<void()>& first, const std::function<void()>& second) {
  std::vector<double> a, b;
  for (int i = 0; i < runs; ++i) {
    a.push_back(seconds_of(first));
    b.push_back(seconds_of(second));
  }
  return {median(a), median(b)};
}

}  // namespace tuile::bench
