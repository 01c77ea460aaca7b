#include "pipeline/run_tiles.hpp"

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pipeline/auto_pace.hpp"
#include "pipeline/load_chain.hpp"
#include "pipeline/tile_stages.hpp"
#include "tuile/source/store.hpp"

namespace tuile::pipeline {

namespace {

/// Calls action(request) for every load of a task.
template <class Action>
void for_each_load(const TileTask& task, Action&& action) {
  action(task.tile);
  for (const prefetch::TileRequest& part : task.halo) action(part);
}

/// The loads of a run: a tile comes with its annotations, a neighbour's part without.
prefetch::LoadFunction load_function(const RunSetup& setup, LoadChain& chain, Trace* trace) {
  std::unordered_map<std::string, const PlannedTile*> by_path;
  for (const PlannedTile& planned : setup.plan.tiles) by_path.emplace(planned.task.tile.path, &planned);
  return [&setup, &chain, trace, by_path = std::move(by_path)](const prefetch::TileRequest& request, std::stop_token stop) {
    const TraceSpan span(trace, "load", source::public_location(request.path));
    const auto at = by_path.find(request.path);
    if (at == by_path.end() || !(at->second->task.tile == request)) return chain.load_halo(request, std::move(stop));
    const catalog::TileEntry& tile = setup.tile_of(*at->second);
    return chain.load(request, {at->second->bounds, tile.epsg, tile.crs_unit == 1}, true, std::move(stop));
  };
}

LoadChain::Options chain_options(const RunSetup& setup) {
  LoadChain::Options chain;
  chain.reader.fields = setup.fields_to_decode();
  chain.reader.strip_budget = setup.memory.strips;
  chain.reader.memory = setup.backend->host_memory();
  chain.colours = setup.colours;
  chain.sequential = setup.memory.workers == 0;  // the baseline fetches one after the other, too
  chain.timeout = setup.config().prefetch.timeout;
  return chain;
}

AsyncPipelineOptions pipeline_options(const RunSetup& setup) {
  const MemoryPlan& memory = setup.memory;
  return {.ahead = memory.ahead,
          .batch_size = memory.batch,
          .computers = memory.computers,
          .writers = memory.writers,
          .pending_writes = memory.pending,
          .fail_fast = setup.options.fail_fast,
          .timeout = setup.config().prefetch.timeout};
}

void report_pace(const PrefetchTuner& tuner, RunSummary& summary) {
  summary.workers = tuner.current().workers;
  summary.ahead = tuner.current().ahead;
  summary.batch = tuner.current().batch;
  summary.tuning = {.changes = tuner.changes(), .wait_seconds = tuner.wait_seconds(), .compute_seconds = tuner.compute_seconds()};
}

}  // namespace

void run_tiles(RunSetup& setup, TileOutlet& outlet, RunCounters& counters, Trace* trace) {
  const ProcessOptions& options = setup.options;
  LoadChain chain(setup.services, setup.executor, chain_options(setup));
  prefetch::TileReader& reader = chain.reader();
  for (const PlannedTile& planned : setup.plan.tiles)
    for_each_load(planned.task, [&](const prefetch::TileRequest& request) { reader.expect(request); });
  prefetch::AsyncTileLoader loader(setup.loader_options(), load_function(setup, chain, trace));
  const std::stop_callback stop_loading(options.stop, [&loader] { loader.shutdown(); });
  AsyncPipeline pipeline(loader, pipeline_options(setup), trace);
  std::optional<AutoPace> auto_pace;
  if (setup.memory.workers > 0) {
    const auto wait_times = [&] {
      const prefetch::ReaderStatistics read = reader.statistics();
      return WaitTimes{read.read_seconds + chain.image_wait_seconds(), read.full_decodes + read.partial_decodes == 0};
    };
    auto_pace.emplace(loader, pipeline, wait_times, setup.tuning_limits());
  }

  TileStages tile(setup, outlet, counters, trace);
  Stages stages;
  stages.pace = [&] {
    if (options.admit) options.admit();
    return auto_pace ? auto_pace->pace() : Pace{setup.memory.ahead, setup.memory.batch};
  };
  stages.compute = [&](std::span<const LoadedTask> batch) { return tile.compute(batch); };
  stages.write = [&](std::size_t index, const ProductHandle& product) { tile.finish(index, static_cast<ComputedTile&>(*product)); };
  stages.finished = [&](std::size_t index, const std::exception_ptr& error) {
    const TileTask& task = setup.plan.tiles[index].task;
    for_each_load(task, [&](const prefetch::TileRequest& request) { reader.forget(request); });
    counters.finished(index, error, pipeline.waiting_for());
  };
  std::vector<TileTask> tasks;
  for (const PlannedTile& planned : setup.plan.tiles) tasks.push_back(planned.task);
  pipeline.process(tasks, stages, options.stop);

  RunSummary& summary = counters.summary();
  if (auto_pace) report_pace(auto_pace->state(), summary);
  summary.times = pipeline.times();
  summary.compute = setup.backend->report();
  summary.loader = loader.get_stats();
  summary.reader = reader.statistics();
  summary.truth.wait_seconds = chain.truth_wait_seconds();
}

}  // namespace tuile::pipeline
