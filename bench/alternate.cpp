#include "alternate.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include "tuile/core/error.hpp"

namespace tuile::bench {

double median(std::vector<double> values) {
  if (values.empty()) throw InvalidArgument("the median of no values; at least one run is expected");
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<Times> alternate(int runs, const std::vector<std::function<void()>>& works) {
  if (runs < 1) throw InvalidArgument("runs is " + std::to_string(runs) + "; 1 or more is expected");
  std::vector<Times> times(works.size());
  for (int run = 0; run < runs; ++run) {
    for (std::size_t i = 0; i < works.size(); ++i) times[i].all.push_back(seconds_of(works[i]));
  }
  return times;
}

std::pair<Times, Times> alternate(int runs, const std::function<void()>& first, const std::function<void()>& second) {
  std::vector<Times> times = alternate(runs, {first, second});
  return {std::move(times[0]), std::move(times[1])};
}

std::optional<Spread> spread_of(const std::vector<double>& over, const std::vector<double>& under) {
  if (over.size() < 2 || over.size() != under.size()) return std::nullopt;
  Spread spread{over[0] / under[0], over[0] / under[0]};
  for (std::size_t i = 1; i < over.size(); ++i) {
    spread.low = std::min(spread.low, over[i] / under[i]);
    spread.high = std::max(spread.high, over[i] / under[i]);
  }
  return spread;
}

Row speed_row(std::string name, double amount, std::string unit, const Times& ours, std::string baseline_name, const Times& baseline,
              std::optional<double> target) {
  Row row;
  row.name = std::move(name);
  row.value = amount / ours.median();
  row.unit = std::move(unit);
  row.baseline_name = std::move(baseline_name);
  row.baseline = amount / baseline.median();
  row.ratio = row.value / row.baseline;
  row.target = target;
  row.runs = static_cast<int>(ours.all.size());
  row.spread = spread_of(baseline.all, ours.all);
  return row;
}

Row cost_row(std::string name, const std::vector<double>& values, std::string unit, std::string baseline_name,
             const std::vector<double>& baselines, std::optional<double> target) {
  Row row;
  row.name = std::move(name);
  row.value = median(values);
  row.unit = std::move(unit);
  row.baseline_name = std::move(baseline_name);
  row.baseline = median(baselines);
  row.ratio = row.value / row.baseline;
  row.target = target;
  row.higher_is_better = false;
  row.runs = static_cast<int>(values.size());
  row.spread = spread_of(values, baselines);
  return row;
}

}  // namespace tuile::bench
