#pragma once

#include <functional>
#include <memory>
#include <string>

#include "pipeline/memory_plan.hpp"
#include "pipeline/prefetch_tuner.hpp"
#include "pipeline/run_plan.hpp"
#include "pipeline/services.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/pipeline/lidar_processor.hpp"

namespace tuile::pipeline {

/// What a run is made of, wired once: the run, its dry run and its list of jobs stand on the same plan.
class RunSetup {
 public:
  using DeviceWatch = std::function<void(const compute::DeviceSpan&)>;

  /// Opens services, reads headers, plans. options must outlive it. Throws as LidarProcessor::process.
  RunSetup(const ProcessOptions& options, const Log& log, DeviceWatch watch = {});

  const config::Config& config() const noexcept { return options.config; }
  const catalog::TileEntry& tile_of(const PlannedTile& planned) const { return plan.catalog.tiles[plan.catalog.jobs[planned.job].tile]; }
  /// Makes the backend anew with what the plan has left for its search, where that has a limit. For a run, before its first tile.
  void bound_backend();
  /// Attributes that tiles are decoded with: colours that come from elsewhere are none of them.
  FieldSet fields_to_decode() const;
  prefetch::LoaderOptions loader_options() const;
  /// What the tuner may choose.
  TuningLimits tuning_limits() const;

  const ProcessOptions& options;
  Executor executor;
  const DeviceWatch on_device;
  std::string backend_reason;  ///< before the backend, which sets it
  std::unique_ptr<compute::Backend> backend;
  Services services;
  RunPlan plan;
  FieldSet colours;  ///< that images are asked for
  MemoryPlan memory;

 private:
  FieldSet wanted_colours() const;
  compute::BackendOptions backend_options(std::uint64_t search) const;
};

}  // namespace tuile::pipeline
