#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/memory_plan.hpp"
#include "pipeline/run_plan.hpp"
#include "pipeline/services.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/pipeline/lidar_processor.hpp"
#include "tuile/source/store.hpp"

namespace fs = std::filesystem;

// What a run would do, told without doing it.
namespace tuile::pipeline {

namespace {

/// A run's plan and what it was made with.
struct Outline {
  explicit Outline(const ProcessOptions& options)
      : executor(options.config.threads.value_or(0)),
        backend(compute::make_backend(options.config.backend, executor, {.devices = options.config.devices.value_or(std::vector<int>{})},
                                      &backend_reason)),
        truth(make_truth_service(options.config.ground_truth, {})),
        imagery(make_imagery_service(options.config, {})),
        store(make_input_store(options.config, {})),
        plan(plan_run(options, run_context(backend->name(), truth.get(), imagery.get()), *store)) {}

  Executor executor;
  std::string backend_reason;  ///< before the backend, which sets it
  std::unique_ptr<compute::Backend> backend;
  std::unique_ptr<TruthService> truth;
  std::unique_ptr<ImageryService> imagery;
  std::unique_ptr<source::Store> store;
  RunPlan plan;
};

std::vector<FailedTile> failures_of(const catalog::Catalog& catalog) {
  std::vector<FailedTile> failures;
  for (const catalog::FailedInput& failure : catalog.failed) failures.push_back({failure.path, failure.kind, failure.message});
  return failures;
}

}  // namespace

void check_config(const config::Config& config) {
  feature_plan(config);
  label_plan(config.ground_truth);
}

PlanSummary LidarProcessor::plan() {
  const Outline outline(options_);
  const RunPlan& plan = outline.plan;
  const MemoryPlan memory =
      plan_memory(plan, options_.config, {}, outline.imagery ? outline.imagery->source->finest_pixel() : 0, traits_of(*outline.backend));
  PlanSummary summary;
  const auto describe = [&](std::size_t job, bool done) {
    const catalog::TileEntry& tile = plan.catalog.tiles[plan.catalog.jobs[job].tile];
    PlanSummary::Tile out{
        source::public_location(tile.path), (fs::path(options_.config.output) / tile.name).string(), tile.points, {}, done};
    for (const std::size_t n : plan.catalog.jobs[job].neighbours)
      out.neighbours.push_back(source::public_location(plan.catalog.tiles[n].path));
    summary.tiles.push_back(std::move(out));
  };
  for (const PlannedTile& tile : plan.tiles) describe(tile.job, false);
  for (const std::size_t job : plan.skipped) describe(job, true);
  summary.failed = failures_of(plan.catalog);
  summary.notes = plan.catalog.notes;
  summary.columns = plan.features.names();
  summary.backend = outline.backend->description();
  summary.backend_reason = outline.backend_reason;
  summary.memory_budget = memory.budget;
  summary.memory_needed = memory.working + memory.strips;
  summary.threads = outline.executor.threads();
  summary.workers = memory.workers;
  summary.ahead = memory.ahead;
  summary.batch = memory.batch;
  return summary;
}

JobList LidarProcessor::jobs() {
  const Outline outline(options_);
  const catalog::Catalog& catalog = outline.plan.catalog;
  const auto file_of = [&](std::size_t tile) { return catalog::InputFile{catalog.tiles[tile].path, catalog.tiles[tile].name}; };
  std::vector<bool> done(catalog.jobs.size());
  for (const std::size_t job : outline.plan.skipped) done[job] = true;
  JobList list{.failed = failures_of(catalog), .notes = catalog.notes};
  for (std::size_t j = 0; j < catalog.jobs.size(); ++j) {
    const catalog::TileJob& job = catalog.jobs[j];
    JobList::Job out{
        .tile = file_of(job.tile), .points = catalog.tiles[job.tile].points, .bounds = catalog.tiles[job.tile].bounds, .done = done[j]};
    for (const std::size_t neighbour : job.neighbours) out.neighbours.push_back(file_of(neighbour));
    list.jobs.push_back(std::move(out));
  }
  return list;
}

}  // namespace tuile::pipeline
