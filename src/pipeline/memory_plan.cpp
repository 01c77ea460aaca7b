#include "pipeline/memory_plan.hpp"

#include <algorithm>

#include "tuile/core/executor.hpp"

namespace tuile::pipeline {

namespace {

/// Bytes per point of a decoded tile.
std::uint64_t block_bytes(const FieldSet& fields) {
  return 13 + (fields.has(Field::intensity) ? 2U : 0U) + (fields.has(Field::returns) ? 2U : 0U) + (fields.has(Field::rgb) ? 6U : 0U) +
         (fields.has(Field::nir) ? 2U : 0U);
}

/// Bytes per point that compute holds beside the block: the search tree while it is built, and the ground surface.
constexpr std::uint64_t search_bytes = 70;

constexpr std::uint64_t label_bytes = 6;
constexpr int most_pending = 16, most_workers = 16, most_batch = 16, most_writers = 4;

/// How many things of `bytes` there is room for, 1 to `most`.
int fitting(std::uint64_t room, std::uint64_t bytes, int most) {
  return static_cast<int>(std::clamp<std::uint64_t>(room / std::max<std::uint64_t>(bytes, 1), 1, static_cast<std::uint64_t>(most)));
}

/// Bytes of the images of the largest tile, while it is loaded.
std::uint64_t image_bytes(const RunPlan& plan, double pixel) {
  if (!(pixel > 0)) return 0;
  double area = 0;
  for (const PlannedTile& tile : plan.tiles) area = std::max(area, tile.bounds.area());
  constexpr double pixel_bytes = 10, most_pixels = 4e8;  // four channels of 16 bits, and what is known; larger images are read coarser
  return static_cast<std::uint64_t>(std::min(area / (pixel * pixel), most_pixels) * pixel_bytes);
}

}  // namespace

MemoryPlan plan_memory(const RunPlan& plan, const config::Config& config, FieldSet colours, double pixel) {
  MemoryPlan memory;
  memory.budget = config.memory.budget.value_or(available_memory() / 2);
  memory.workers = config.prefetch.workers.value_or(2);
  memory.most_workers = config.prefetch.workers.value_or(most_workers);

  std::uint64_t largest = 0;
  for (const PlannedTile& tile : plan.tiles) largest = std::max(largest, plan.catalog.tiles[plan.catalog.jobs[tile.job].tile].points);
  const std::uint64_t block = block_bytes({plan.computed.fields().bits | colours.bits});
  const std::uint64_t output = 4 * plan.computed.columns.size() + 1 + (config.ground_truth.source == "none" ? 0 : label_bytes);
  memory.tile = largest * block;
  // Several tiles together only help small ones, which leave processors idle at their ends.
  const std::uint64_t tile_work = std::max<std::uint64_t>(largest * (block + search_bytes + output), 1);
  memory.batch = config.batch.size.value_or(1);
  memory.most_batch = config.batch.size.value_or(memory.workers == 0 ? 1 : fitting(memory.budget / 16, tile_work, most_batch));
  memory.ahead = memory.workers == 0 ? 0 : config.prefetch.ahead.value_or(memory.workers + 1);
  memory.most_ahead = memory.workers == 0 ? 0 : config.prefetch.ahead.value_or(memory.most_workers + memory.most_batch);
  const auto batch = static_cast<std::uint64_t>(memory.most_batch);
  // Ground truth may come late: then computed tiles wait for it, as many as there is room for, and computing goes on.
  const std::uint64_t finished_tile = largest * (block + output);
  // Writers mostly wait for the disk, which takes as long for a small tile as for a large one.
  memory.writers = memory.workers == 0 ? 0 : fitting(memory.budget / 16, finished_tile, most_writers);
  memory.pending = std::max(memory.writers, memory.most_batch);
  if (config.ground_truth.source != "none" && memory.writers > 0)
    memory.pending = std::max(memory.pending, fitting(memory.budget / 4, finished_tile, most_pending));
  memory.working = largest * batch * (block + search_bytes + output) +
                   static_cast<std::uint64_t>(memory.writers) * static_cast<std::uint64_t>(1 + memory.pending) * finished_tile;
  memory.working += image_bytes(plan, pixel) * static_cast<std::uint64_t>(std::max(1, memory.workers));
  memory.strips = memory.budget / 16;
  const std::uint64_t reserved = std::min(memory.working + memory.strips, memory.budget - memory.budget / 4);
  memory.loading = memory.budget - reserved;
  return memory;
}

}  // namespace tuile::pipeline
