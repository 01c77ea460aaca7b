#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "conformance/cases.hpp"
#include "report.hpp"
#include "tuile/core/executor.hpp"

namespace tuile::gpu_check {

/// Computes the same on the backends "cpu" and "cuda" and compares every bit of what comes out: the cases of tests/conformance, then towns
/// of `town_points` points with the plans and filters that tax a device most. told: called after each case
std::vector<Check> run_conformance(Executor& executor, conformance::Scale scale, std::size_t town_points,
                                   const std::function<void(const Check&)>& told);

}  // namespace tuile::gpu_check
