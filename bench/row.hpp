#pragma once

#include <optional>
#include <string>

namespace tuile::bench {

/// Extremes of a ratio over the runs that were made.
struct Spread {
  double low = 0, high = 0;
};

/// One measured figure beside its baseline, both taken in the same run.
struct Row {
  std::string name;  ///< as in the targets, e.g. "features.lod2_k20"
  double value = 0;
  std::string unit;
  std::string baseline_name;
  double baseline = 0;           ///< same unit
  double ratio = 0;              ///< value over baseline, as the target counts it
  std::optional<double> target;  ///< none: for information
  bool higher_is_better = true;
  int runs = 0;
  std::optional<Spread> spread = {};  ///< of the ratio, each run against its neighbour in time; none: one run

  /// A row without a target has nothing to miss.
  bool met() const noexcept { return !target || (higher_is_better ? ratio >= *target : ratio <= *target); }
};

}  // namespace tuile::bench
