#include "pipeline/run_setup.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "tuile/core/output_format.hpp"

namespace tuile::pipeline {

RunSetup::RunSetup(const ProcessOptions& chosen, const Log& log, DeviceWatch watch)
    : options(chosen),
      executor(config().threads.value_or(0)),
      on_device(std::move(watch)),
      backend(compute::make_backend(config().backend, executor, backend_options(0), &backend_reason)),
      services(config(), log),
      plan(plan_run(options, services.context(backend->name()), *services.store)),
      colours(wanted_colours()),
      memory(plan_memory(plan, config(), colours, services.finest_pixel(), traits_of(*backend))) {}

compute::BackendOptions RunSetup::backend_options(std::uint64_t search) const {
  return {.memory = search, .devices = config().devices.value_or(std::vector<int>{}), .on_device = on_device};
}

void RunSetup::bound_backend() {
  if (memory.search > 0) backend = compute::make_backend(backend->name(), executor, backend_options(memory.search));
}

FieldSet RunSetup::wanted_colours() const {
  if (!services.imagery) return {};
  // Where the points themselves are written, all of their colours are.
  const FieldSet wanted = repeats_points(config().write.formats) ? all_colours : plan.computed.fields() & all_colours;
  return wanted & services.provided_colours();
}

FieldSet RunSetup::fields_to_decode() const {
  const FieldSet fields = plan.computed.fields();
  return config().imagery.source == config::ImagerySource::tile ? fields : fields.without(all_colours);
}

prefetch::LoaderOptions RunSetup::loader_options() const {
  prefetch::LoaderOptions loader;
  loader.num_workers = memory.workers;
  // A tile's parts are entries of their own: room for a window of tiles with eight neighbours each.
  loader.cache_size = config().prefetch.cache_tiles.value_or(static_cast<std::size_t>(9 * (memory.most_ahead + memory.most_batch + 1)));
  loader.memory_budget = memory.loading;
  loader.expected_bytes = memory.tile;
  loader.retries = config().prefetch.retries;
  loader.keep_preloaded = true;  // every tile that is preloaded is got, once
  return loader;
}

TuningLimits RunSetup::tuning_limits() const {
  std::size_t loads = 0, points = 0;
  for (const PlannedTile& planned : plan.tiles) {
    loads += 1 + planned.task.halo.size();
    points += tile_of(planned).points;
  }
  const auto tiles = static_cast<double>(std::max<std::size_t>(plan.tiles.size(), 1));
  constexpr double usual_rate = 2.5e6;  // points a second and thread, rather too many: too few loads at first cost more than too many
  // The first tile needs its neighbours too.
  const int first_files = plan.tiles.empty() ? 1 : static_cast<int>(1 + plan.tiles.front().task.halo.size());
  const auto fixed = [this](const auto& chosen, int planned) { return memory.tight ? std::optional(planned) : std::optional<int>(chosen); };
  return {.workers = fixed(config().prefetch.workers, memory.workers),
          .ahead = fixed(config().prefetch.ahead, memory.ahead),
          .batch = fixed(config().batch.size, memory.batch),
          .first_workers = std::clamp(first_files, 2, 4),
          .most_workers = memory.most_workers,
          .most_ahead = memory.most_ahead,
          .most_batch = memory.most_batch,
          .loads_per_tile = static_cast<double>(loads) / tiles,
          .likely_compute = static_cast<double>(points) / tiles / (usual_rate * executor.threads())};
}

}  // namespace tuile::pipeline
