#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "row.hpp"

namespace tuile::bench {

/// The middle value; the mean of the two in the middle. Throws InvalidArgument for none.
double median(std::vector<double> values);

/// Wall seconds of one call.
double seconds_of(const std::function<void()>& work);

/// Seconds of every run of one piece of work, in the order of the runs.
struct Times {
  std::vector<double> all;
  double median() const { return bench::median(all); }
};

/// Runs every piece of work in turn, `runs` times round, so that a drift of the machine meets all of them. One Times each, in their order.
/// Throws InvalidArgument for runs < 1, else what the work throws.
std::vector<Times> alternate(int runs, const std::vector<std::function<void()>>& works);
std::pair<Times, Times> alternate(int runs, const std::function<void()>& first, const std::function<void()>& second);

/// Extremes of over[i] / under[i]; none for fewer than two runs. Both have as many runs.
std::optional<Spread> spread_of(const std::vector<double>& over, const std::vector<double>& under);

/// A row about speed: `amount` (of `unit`) done in `ours` and in `baseline` seconds; the ratio tells how many times faster ours is.
Row speed_row(std::string name, double amount, std::string unit, const Times& ours, std::string baseline_name, const Times& baseline,
              std::optional<double> target);

/// A row about cost (less is better): medians of values and of what each is measured against.
Row cost_row(std::string name, const std::vector<double>& values, std::string unit, std::string baseline_name,
             const std::vector<double>& baselines, std::optional<double> target);

}  // namespace tuile::bench
