#include "pipeline/memory_plan.hpp"

#include <algorithm>
#include <array>

#include "tuile/compute/backend.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/output_format.hpp"

namespace tuile::pipeline {

namespace {

constexpr std::uint64_t label_bytes = 6;
constexpr int most_pending = 16, most_workers = 16, most_batch = 16, most_writers = 4;
/// With less for the search a tile goes on in another way, if there is one: small blocks are mostly made of what they share.
constexpr std::uint64_t good_search = std::uint64_t{256} << 20;

/// How many things of `bytes` there is room for, 1 to `most`.
int fitting(std::uint64_t room, std::uint64_t bytes, int most) {
  return static_cast<int>(std::clamp<std::uint64_t>(room / std::max<std::uint64_t>(bytes, 1), 1, static_cast<std::uint64_t>(most)));
}

/// What the largest tile of a run takes, bytes. Of several tiles the largest of each.
struct TileCost {
  std::uint64_t block = 0;      ///< its points, loaded
  std::uint64_t file = 0;       ///< its compressed bytes, whole in memory during its decode and while LAZ output is written
  std::uint64_t halo = 0;       ///< its neighbours' border points while they are joined
  std::uint64_t neighbour = 0;  ///< a neighbour decoded whole for its border: COPC files are not
  std::uint64_t rows = 0;       ///< features
  std::uint64_t marks = 0;      ///< validity and labels
  std::uint64_t surface = 0;    ///< the ground, in compute
  std::uint64_t search = 0;     ///< the same with the neighbour search in one piece
  std::uint64_t images = 0;     ///< while it is loaded

  /// Of a tile after its compute.
  std::uint64_t finished() const noexcept { return block + rows + marks; }
};

/// Cells of the ground's thinning around a box.
double ground_cells(const Bounds& box) {
  constexpr double cells_per_square_metre = 4;
  return box.empty() ? 0 : box.area() * cells_per_square_metre;
}

TileCost largest_cost(const RunPlan& plan, const config::Config& config, FieldSet colours, double pixel, const ComputeTraits& compute) {
  const std::uint64_t marks = 1 + (config.ground_truth.source == "none" ? 0 : label_bytes);
  const bool ground = plan.computed.needs_ground();
  const std::uint64_t search_bytes = plan.computed.needs_neighbours() ? compute.cost.search : 0;
  const std::uint64_t filter_bytes = plan.preprocess.has_filters() ? compute.cost.filter : 0;
  TileCost cost;
  const auto raise = [](std::uint64_t& value, std::uint64_t to) { value = std::max(value, to); };
  for (const PlannedTile& planned : plan.tiles) {
    const catalog::TileEntry& tile = plan.catalog.tiles[plan.catalog.jobs[planned.job].tile];
    const auto point = [&](const catalog::TileEntry& of) { return bytes_per_point((plan.computed.fields() & of.fields) | colours); };
    const std::uint64_t block = tile.points * point(tile);
    raise(cost.block, block);
    raise(cost.file, tile.file_size);
    raise(cost.rows, tile.points * 4 * plan.computed.columns.size());
    raise(cost.marks, tile.points * marks);
    const Bounds wide = planned.bounds.expanded(plan.halo);
    std::uint64_t surface = 0;
    if (ground) surface = compute.cost.surface * static_cast<std::uint64_t>(std::min(static_cast<double>(tile.points), ground_cells(wide)));
    // Filters come before the surface, and search like it.
    raise(cost.surface, std::max(surface, tile.points * filter_bytes));
    raise(cost.search, surface + tile.points * search_bytes);
    if (plan.preprocess.has_filters()) raise(cost.search, tile.points * (compute.cost.search + filter_bytes));
    if (!planned.task.halo.empty() && planned.bounds.area() > 0) {
      constexpr double copies = 3;  // read, moved to the tile's grid, joined
      const double share = std::min(copies * (wide.area() / planned.bounds.area() - 1), copies);
      raise(cost.halo, static_cast<std::uint64_t>(static_cast<double>(block) * share));
    }
    for (const std::size_t n : planned.halo_tiles) {
      const catalog::TileEntry& neighbour = plan.catalog.tiles[n];
      if (!neighbour.copc) raise(cost.neighbour, neighbour.points * point(neighbour) + neighbour.file_size);
    }
    if (pixel > 0) {
      constexpr double pixel_bytes = 10, most_pixels = 4e8;  // four channels of 16 bits, and what is known; larger images are read coarser
      raise(cost.images, static_cast<std::uint64_t>(std::min(planned.bounds.area() / (pixel * pixel), most_pixels) * pixel_bytes));
    }
  }
  return cost;
}

/// The usual way: several tiles under way, each in one piece.
MemoryPlan plan_roomy(const TileCost& cost, const config::Config& config, const ComputeTraits& compute) {
  MemoryPlan memory;
  memory.budget = config.memory.budget.value_or(available_memory() / 2);
  memory.tile = cost.block;
  memory.workers = config.prefetch.workers.value_or(2);
  memory.most_workers = config.prefetch.workers.value_or(std::max(2, fitting(memory.budget / 8, cost.file, most_workers)));
  // Several tiles together only help small ones, which leave processors idle at their ends.
  const std::uint64_t tile_work = cost.block + cost.rows + cost.marks + cost.search;
  memory.batch = config.batch.size.value_or(1);
  // Batches at once are worth more than large ones: they share a quarter of the budget.
  const std::uint64_t batch = static_cast<std::uint64_t>(memory.batch);
  memory.computers = memory.workers == 0 ? 1 : fitting(memory.budget / 4, batch * (tile_work + cost.halo), compute.concurrency);
  const std::uint64_t share = std::min(memory.budget / 16, memory.budget / 4 / static_cast<std::uint64_t>(memory.computers));
  memory.most_batch = config.batch.size.value_or(memory.workers == 0 ? 1 : fitting(share, tile_work, most_batch));
  memory.ahead = memory.workers == 0 ? 0 : config.prefetch.ahead.value_or(memory.workers + 1);
  memory.most_ahead = memory.workers == 0 ? 0 : config.prefetch.ahead.value_or(memory.most_workers + memory.most_batch);
  // Writers mostly wait for the disk, which takes as long for a small tile as for a large one.
  memory.writers = memory.workers == 0 ? 0 : fitting(memory.budget / 16, cost.finished(), most_writers);
  memory.pending = std::max(memory.writers, memory.most_batch);
  // Ground truth may come late: then computed tiles wait for it, as many as there is room for, and computing goes on.
  if (config.ground_truth.source != "none" && memory.writers > 0)
    memory.pending = std::max(memory.pending, fitting(memory.budget / 4, cost.finished(), most_pending));
  const auto times = [](int count, std::uint64_t bytes) { return static_cast<std::uint64_t>(count) * bytes; };
  memory.working = times(memory.most_batch * memory.computers, tile_work + cost.halo) +
                   times(memory.writers == 0 ? 0 : memory.writers + memory.pending, cost.finished()) +
                   times(std::max(1, memory.workers), cost.images);
  memory.strips = memory.budget / 16;
  const std::uint64_t reserved = std::min(memory.working + memory.strips, memory.budget - memory.budget / 4);
  memory.loading = memory.budget - reserved;
  return memory;
}

/// How many tiles are under way beside the one in compute.
struct UnderWay {
  int ahead, writers, pending;
};

/// In blocks, then with rows in files, then with fewer tiles under way: whatever of it lets the run keep its budget, in this order, since
/// overlap is worth more than what the rows' way over the page cache costs.
MemoryPlan plan_tight(MemoryPlan memory, const TileCost& cost, const config::Config& config, std::size_t tiles) {
  memory.tight = true;
  memory.computers = 1;
  memory.workers = config.prefetch.workers.value_or(1);
  memory.batch = memory.most_batch = config.batch.size.value_or(1);
  memory.most_workers = memory.workers;
  memory.tile = cost.block + cost.file;
  memory.strips = tiles > 1 ? memory.budget / 16 : 0;
  const std::uint64_t file_while_written = repeats_points(config.write.formats) ? cost.file : 0;
  const std::uint64_t batch = static_cast<std::uint64_t>(memory.batch), loads = static_cast<std::uint64_t>(std::max(1, memory.workers));
  const std::uint64_t least = std::min(cost.search, cost.surface + memory.budget / 16);
  const std::uint64_t good = std::min(cost.search, cost.surface + std::min(memory.budget / 4, good_search));
  const std::uint64_t others = tiles - std::min<std::size_t>(tiles, 1);

  const auto settle = [&](const UnderWay& pace, bool spill) {
    memory.ahead = memory.most_ahead = memory.workers == 0 ? 0 : config.prefetch.ahead.value_or(pace.ahead);
    memory.writers = memory.workers == 0 ? 0 : pace.writers;
    memory.pending = pace.pending;
    memory.spilled_rows = spill ? memory.budget / 16 : UINT64_MAX;
    const std::uint64_t ahead = std::min(others, static_cast<std::uint64_t>(memory.ahead));
    const std::uint64_t finished = memory.writers == 0 ? 0 : std::min(others, static_cast<std::uint64_t>(memory.writers + memory.pending));
    const std::uint64_t rows = std::min(cost.rows, memory.spilled_rows);  // those of smaller tiles stay in memory
    const std::uint64_t load = loads * (cost.file + cost.images) + cost.neighbour;
    const std::uint64_t held = cost.block * (ahead + finished) + finished * (rows + cost.marks) + (finished > 0 ? file_while_written : 0) +
                               (ahead > 0 ? load : 0) + cost.halo * ahead;
    const std::uint64_t computing = batch * (cost.block + cost.halo + rows + cost.marks);
    const std::uint64_t loading_alone = batch * cost.block + load, writing_alone = computing + file_while_written;
    const std::uint64_t room = memory.budget - std::min(memory.budget, held + computing + memory.strips);
    memory.search = std::max(room, least);
    // Where `ahead` is set to more than there is room for, preloads wait.
    const std::uint64_t wanted =
        cost.block * (batch + ahead + finished) + (ahead > 0 ? loads * cost.file : 0) + cost.halo * (batch + ahead);
    memory.loading = std::min(wanted, std::max(memory.budget, cost.block * batch));
    memory.working = held + std::max({computing + memory.search, ahead > 0 ? 0 : loading_alone, finished > 0 ? 0 : writing_alone});
    return room;
  };
  for (const UnderWay& pace : {UnderWay{1, 1, 1}, UnderWay{1, 0, 1}, UnderWay{0, 0, 1}}) {
    for (const bool spill : {false, true}) {
      if (settle(pace, spill) >= good && !memory.passes_budget()) return memory;
    }
  }
  return memory;  // the last: whatever can be done is done
}

}  // namespace

ComputeTraits traits_of(const compute::Backend& backend) { return {backend.concurrency(), backend.memory_cost()}; }

MemoryPlan plan_memory(const RunPlan& plan, const config::Config& config, FieldSet colours, double pixel, const ComputeTraits& compute) {
  const TileCost cost = largest_cost(plan, config, colours, pixel, compute);
  MemoryPlan memory = plan_roomy(cost, config, compute);
  // Room for the work and for one more tile's load.
  if (memory.working + memory.strips + cost.block + cost.file <= memory.budget) return memory;
  return plan_tight(memory, cost, config, plan.tiles.size());
}

}  // namespace tuile::pipeline
