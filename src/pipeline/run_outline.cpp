#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/run_setup.hpp"
#include "tuile/pipeline/lidar_processor.hpp"
#include "tuile/source/store.hpp"

namespace fs = std::filesystem;

// What a run would do, told without doing it.
namespace tuile::pipeline {

namespace {

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
  const RunSetup setup(options_, serialised(options_.warn));
  const RunPlan& plan = setup.plan;
  const MemoryPlan& memory = setup.memory;
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
  summary.backend = setup.backend->description();
  summary.backend_reason = setup.backend_reason;
  summary.memory_budget = memory.budget;
  summary.memory_needed = memory.needed();
  summary.threads = setup.executor.threads();
  summary.workers = memory.workers;
  summary.ahead = memory.ahead;
  summary.batch = memory.batch;
  return summary;
}

JobList LidarProcessor::jobs() {
  const RunSetup setup(options_, serialised(options_.warn));
  const catalog::Catalog& catalog = setup.plan.catalog;
  const auto file_of = [&](std::size_t tile) { return catalog::InputFile{catalog.tiles[tile].path, catalog.tiles[tile].name}; };
  std::vector<bool> done(catalog.jobs.size());
  for (const std::size_t job : setup.plan.skipped) done[job] = true;
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
