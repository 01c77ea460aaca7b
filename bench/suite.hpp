#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "row.hpp"
#include "workload.hpp"

namespace tuile::bench {

/// A group of rows that is measured together.
struct Measurement {
  const char* what;   ///< as on the command line
  const char* group;  ///< a wider word for it on the command line; "" for none
  const char* about;  ///< for people, while it runs
  std::vector<Row> (*measure)(Workload& workload);
};

/// In the order in which they run.
std::span<const Measurement> measurements();

/// Words that choose measurements: "all", groups and single ones.
std::vector<std::string> choices();
bool chosen(const Measurement& measurement, const std::string& choice);

/// Rows that are not there, and why.
struct LeftOut {
  std::string what, reason;
};
struct Outcome {
  std::vector<Row> rows;
  std::vector<LeftOut> left_out;
  bool failed = false;  ///< something was left out because it failed, not because this machine lacks what it needs
};

/// Runs what was chosen. A measurement that fails is left out with its reason; the others go on.
/// shown    called with each row as soon as it is there
Outcome run_suite(Workload& workload, const std::string& choice, const std::function<void(const Row&)>& shown);

}  // namespace tuile::bench
