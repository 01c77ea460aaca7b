#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuile/core/executor.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/features/plan.hpp"
#include "tuile/synth/town.hpp"

namespace tuile::bench {

/// How much is measured. Points in millions.
struct Sizes {
  int runs = 5;           ///< alternating runs of what takes seconds
  int pipeline_runs = 3;  ///< alternating runs of whole pipelines
  int tiles = 6;          ///< tiles of the pipelines
  double points = 0.7;    ///< in each of them; the first one is what features, labels and writing are measured on
  double small = 0.03;    ///< in each of the 100 small tiles
  double large = 4;       ///< in the tile that does not fit the budget
  static Sizes quick() { return {.runs = 3, .pipeline_runs = 2, .tiles = 3, .points = 0.2, .small = 0.01, .large = 1}; }
  /// Those of the targets.
  static Sizes full() { return {.runs = 5, .pipeline_runs = 5, .tiles = 20, .points = 2, .small = 0.1, .large = 33}; }
};

struct WorkloadOptions {
  Sizes sizes;
  int threads = 0;                 ///< computing threads, 0 for all
  std::vector<std::string> tiles;  ///< paths given by the user; none: a synthetic town
  std::vector<std::string> copc;   ///< adjoining COPC tiles for the halo of octree nodes
  std::string program;             ///< path of the command line, which is run where the memory of a process counts
  std::function<void(const std::string&)> log = [](const std::string&) {};  ///< one line each
};

/// What is measured on. Synthetic tiles are made when they are first asked for, in a temporary folder that goes with this object.
class Workload {
 public:
  explicit Workload(WorkloadOptions options);
  ~Workload();
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;

  const WorkloadOptions& options() const noexcept { return options_; }
  const Sizes& sizes() const noexcept { return options_.sizes; }
  Executor& executor() noexcept { return executor_; }
  void log(const std::string& line) const { options_.log(line); }

  /// The tiles of the pipelines.
  const std::vector<std::string>& tiles();
  /// The first of them, `most` at most.
  std::vector<std::string> some_tiles(std::size_t most);
  /// Twelve smaller ones, for what runs many times.
  const std::vector<std::string>& tuning_tiles();
  /// 10 x 10 small adjoining tiles, from west to east, then from south to north.
  const std::vector<std::string>& small_tiles();
  const std::string& large_tile();
  /// The points of the first tile, every attribute that lod2 reads; decoded again where it was given back. Throws as decoding.
  const PointBlock& points();
  void drop_points() noexcept { points_.reset(); }

  /// An empty folder that nobody else has.
  std::string fresh_folder(const std::string& name);

 private:
  const std::vector<std::string>& town(const std::string& name, std::vector<std::string>& paths, int tiles_x, int tiles_y, double points,
                                       double density);

  const WorkloadOptions options_;
  Executor executor_;
  std::filesystem::path folder_;
  int folders_ = 0;
  std::vector<std::string> tiles_, tuning_tiles_, small_tiles_, large_tile_;
  std::optional<PointBlock> points_;
};

/// The columns of a feature set that are made of neighbours, for what a search and an eigen-solver can be measured on.
features::FeaturePlan neighbourhood_plan(std::string_view set, const features::Neighbourhood& neighbourhood);

}  // namespace tuile::bench
