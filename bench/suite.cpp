#include "suite.hpp"

#include <algorithm>
#include <array>

#include "bench.hpp"
#include "tuile/core/error.hpp"

namespace tuile::bench {

namespace {

/// Thrown where a machine or a command line lacks what a measurement needs.
struct Lacking {
  std::string reason;
};

std::vector<Row> decode(Workload& workload) { return {bench_decode(workload.some_tiles(5), workload.executor(), workload.sizes().runs)}; }
std::vector<Row> tree(Workload& workload) { return bench_tree(workload.points(), workload.executor(), workload.sizes().runs); }
std::vector<Row> features(Workload& workload) { return bench_features(workload.points(), workload.executor(), workload.sizes().runs); }
std::vector<Row> ground(Workload& workload) { return bench_ground(workload.points(), workload.executor(), workload.sizes().runs); }
std::vector<Row> scaling(Workload& workload) {
  return bench_scaling(workload.points(), workload.tiles().front(), workload.executor(), workload.sizes().runs);
}
std::vector<Row> labels(Workload& workload) { return {bench_labels(workload.points(), workload.executor(), workload.sizes().runs)}; }
std::vector<Row> write(Workload& workload) { return bench_write(workload.points(), workload.executor(), workload.sizes().runs); }
std::vector<Row> prefetch(Workload&) { return {bench_preload_call()}; }
std::vector<Row> copc(Workload& workload) {
  if (workload.options().copc.empty()) throw Lacking{"no COPC tiles were given (--copc) and synthetic ones cannot be made"};
  return {bench_copc_amplification(workload)};
}

constexpr std::array list = {
    Measurement{"decode", "", "LAZ decode", decode},
    Measurement{"tree", "", "search tree", tree},
    Measurement{"features", "", "features, per set and neighbourhood", features},
    Measurement{"ground", "", "height above ground", ground},
    Measurement{"scaling", "", "more threads, more points", scaling},
    Measurement{"labels", "", "labels", labels},
    Measurement{"write", "", "writing NPZ and LAZ", write},
    Measurement{"prefetch", "pipeline", "the call that asks for a tile", prefetch},
    Measurement{"cpu_bound", "pipeline", "whole runs from the local disk", bench_pipeline},
    Measurement{"slow_store", "pipeline", "whole runs from a slow store", bench_slow_store},
    Measurement{"slow_wfs", "pipeline", "whole runs with a slow WFS", bench_slow_wfs},
    Measurement{"autotune_fast_disk", "autotune", "automatic settings against fixed ones, local disk", bench_autotune_fast_disk},
    Measurement{"autotune_slow_store", "autotune", "automatic settings against fixed ones, slow store", bench_autotune_slow_store},
    Measurement{"autotune_slow_wfs", "autotune", "automatic settings against fixed ones, slow WFS", bench_autotune_slow_wfs},
    Measurement{"growth", "", "100 tiles against 10", bench_growth},
    Measurement{"memory", "", "memory and decode amplification", bench_memory},
    Measurement{"copc", "memory", "decode amplification of COPC tiles", copc},
};

/// Steps need one tile in memory; whole runs should have the memory for themselves.
bool on_points(const Measurement& measurement) {
  constexpr std::array steps{tree, features, ground, scaling, labels, write};
  return std::find(steps.begin(), steps.end(), measurement.measure) != steps.end();
}

}  // namespace

std::span<const Measurement> measurements() { return list; }

std::vector<std::string> choices() {
  std::vector<std::string> words{"all"};
  for (const Measurement& measurement : list) {
    for (const std::string word : {measurement.group, measurement.what}) {
      if (!word.empty() && std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
    }
  }
  return words;
}

bool chosen(const Measurement& measurement, const std::string& choice) {
  return choice == "all" || choice == measurement.what || choice == measurement.group;
}

Outcome run_suite(Workload& workload, const std::string& choice, const std::function<void(const Row&)>& shown) {
  Outcome outcome;
  for (const Measurement& measurement : list) {
    if (!chosen(measurement, choice)) continue;
    workload.log(std::string("measuring ") + measurement.what + ": " + measurement.about);
    if (!on_points(measurement)) workload.drop_points();
    try {
      for (Row& row : measurement.measure(workload)) {
        shown(row);
        outcome.rows.push_back(std::move(row));
      }
    } catch (const Lacking& lacking) {
      outcome.left_out.push_back({measurement.what, lacking.reason});
    } catch (const std::exception& error) {
      outcome.left_out.push_back({measurement.what, error.what()});
      outcome.failed = true;
    }
  }
  return outcome;
}

}  // namespace tuile::bench
