#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tuile/catalog/catalog.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/features/plan.hpp"
#include "tuile/pipeline/async_pipeline.hpp"
#include "tuile/pipeline/feature_computer.hpp"  // feature_plan, preprocess_of
#include "tuile/pipeline/lidar_processor.hpp"
#include "tuile/source/store.hpp"
#include "write/done.hpp"

namespace tuile::pipeline {

/// One tile of the run.
struct PlannedTile {
  std::size_t job = 0;                  ///< index into catalog.jobs
  Bounds bounds;                        ///< of the core, metres: the tile's, cut by the run's bbox
  double grid_scale = 0.01;             ///< the finest of the tile's and its halo tiles'
  TileTask task;                        ///< what to load
  std::vector<std::size_t> halo_tiles;  ///< catalog tile of each part of task.halo
  write::DoneKey key;
  std::string output;  ///< path without extension: OUTPUT/name
};

/// What a run will do, before anything is loaded.
struct RunPlan {
  catalog::Catalog catalog;
  features::FeaturePlan features;  ///< the output columns …
  features::FeaturePlan computed;  ///< … and after them the columns that only labelling needs
  compute::Preprocess preprocess;
  double halo = 0;  ///< metres around a tile that are loaded: the configured halo, and what filters look beyond it
  std::string config_hash;
  std::vector<PlannedTile> tiles;    ///< to do, in order
  std::vector<std::size_t> skipped;  ///< jobs already done
};

/// What the plan must know besides the configuration.
struct RunContext {
  std::string backend;                             ///< resolved
  std::vector<features::Feature> labelling_needs;  ///< features that conditions of layers read
  std::string services;                            ///< what ground truth and imagery come from: part of the hash
};

/// Reads headers, finds neighbours and what is done already. Throws ConfigError for clashes of names and paths, else as build_catalog.
RunPlan plan_run(const ProcessOptions& options, const RunContext& context, source::Store& store);

}  // namespace tuile::pipeline
