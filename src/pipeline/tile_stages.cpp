#include "pipeline/tile_stages.hpp"

#include <cstdint>
#include <iterator>
#include <utility>

#include "pipeline/output_columns.hpp"
#include "prefetch/truth_fetcher.hpp"
#include "tuile/source/store.hpp"

namespace tuile::pipeline {

std::vector<ProductHandle> TileStages::compute(std::span<const LoadedTask> batch) {
  std::vector<std::shared_ptr<ComputedTile>> tiles;
  std::vector<compute::TileInput> inputs;
  for (const LoadedTask& task : batch) {
    tiles.push_back(assembled(task));
    inputs.push_back(input_of(setup_.plan.tiles[task.index], *tiles.back()));
  }
  std::vector<compute::TileOutput> outputs =
      setup_.backend->compute(inputs, setup_.plan.computed, setup_.plan.preprocess, setup_.options.stop);
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    tiles[i]->output = std::move(outputs[i]);
    refuse_missing(tiles[i]->output, setup_.plan, setup_.config().features.missing);
    tiles[i]->input->drop_halo();
  }
  return {std::make_move_iterator(tiles.begin()), std::make_move_iterator(tiles.end())};
}

std::shared_ptr<ComputedTile> TileStages::assembled(const LoadedTask& task) {
  const PlannedTile& planned = setup_.plan.tiles[task.index];
  auto tile = std::make_shared<ComputedTile>();
  tile->input = assemble(task.tile, task.halo, planned.grid_scale);
  tile->halo_errors = task.halo_errors;
  counters_.set_points(task.index, tile->input->core->size());
  for (const std::optional<PartError>& error : tile->halo_errors) {
    if (error) counters_.say(source::public_location(setup_.tile_of(planned).path) + " goes on without its neighbour: " + error->message);
  }
  return tile;
}

compute::TileInput TileStages::input_of(const PlannedTile& planned, const ComputedTile& tile) const {
  const PointBlock& core = *tile.input->core;
  const std::uint64_t row_bytes = std::uint64_t{core.size()} * setup_.plan.computed.columns.size() * sizeof(float);
  return {.core = &core,
          .halo = &tile.input->halo,
          .bounds = to_units(planned.bounds, planned.grid_scale),
          .halo_width = setup_.config().halo,
          .spill_folder = row_bytes < setup_.memory.spilled_rows ? "" : outlet_.spill_folder()};
}

void TileStages::finish(std::size_t index, ComputedTile& computed) {
  const PlannedTile& planned = setup_.plan.tiles[index];
  if (setup_.services.truth) label(planned, computed);
  settle_columns(computed.output, setup_.plan, setup_.config().features.missing);
  const TileCounts counts = counts_of(computed);
  outlet_.take(planned, computed);
  counters_.add(counts);
}

void TileStages::label(const PlannedTile& planned, ComputedTile& computed) {
  const TraceSpan span(trace_, "label", source::public_location(planned.task.tile.path));
  std::shared_ptr<const GroundTruth> truth = computed.input->tile->truth->wait(setup_.options.stop);
  counters_.add_outcomes(*truth);
  computed.labels = label_tile(std::move(truth), *computed.input->core, computed.output, setup_.services.truth->labels,
                               setup_.config().ground_truth.on_failure, setup_.executor, setup_.options.stop);
}

}  // namespace tuile::pipeline
