#include "pipeline/run_counters.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "tuile/core/version.hpp"
#include "tuile/source/store.hpp"

namespace tuile::pipeline {

namespace {

FailedTile failed_tile(const std::string& location, const std::exception_ptr& error) {
  const std::string path = source::public_location(location);
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    return {path, e.kind(), located(e.what(), path)};
  } catch (const std::bad_alloc&) {
    return {path, ErrorKind::out_of_memory, "out of memory; lower memory.budget, prefetch.workers or batch.size"};
  } catch (const std::exception& e) {
    return {path, ErrorKind::io, located(e.what(), path)};
  }
}

}  // namespace

TileCounts counts_of(const ComputedTile& computed) {
  TileCounts counts;
  if (computed.labels) counts.labels = count_labels(*computed.labels);
  if (const auto& colours = computed.input->tile->colours)
    counts.coloured = colours->rgb != Outcome::failed && colours->nir != Outcome::failed;
  return counts;
}

RunCounters::RunCounters(const RunSetup& setup, const ResourceUsage& usage, Log log)
    : setup_(setup), log_(std::move(log)), usage_(usage), points_(setup.plan.tiles.size()) {
  const RunPlan& plan = setup.plan;
  const MemoryPlan& memory = setup.memory;
  summary_.version = version();
  summary_.backend = setup.backend->name();
  summary_.device = setup.backend->description();
  summary_.backend_reason = setup.backend_reason;
  summary_.config_hash = plan.config_hash;
  summary_.tiles_skipped = plan.skipped.size();
  summary_.tiles_total = plan.catalog.jobs.size() + plan.catalog.failed.size();
  summary_.notes = plan.catalog.notes;
  summary_.memory_budget = memory.budget;
  summary_.memory_needed = memory.needed();
  summary_.threads = setup.executor.threads();
  summary_.workers = memory.workers;
  summary_.ahead = memory.ahead;
  summary_.batch = memory.batch;
  summary_.computers = memory.computers;
  summary_.writers = memory.writers;
  {
    const MutexLock lock(mutex_);
    if (setup.services.truth) truth_.source = setup.services.truth->source->name();
    if (setup.services.imagery) imagery_.source = setup.services.imagery->source->name();
  }
  for (const PlannedTile& planned : plan.tiles) summary_.points_in_input += setup.tile_of(planned).points;

  const config::Config& config = setup.config();
  if (config.features.radius && config.origins.contains("features.k"))
    log_("features.k is not used: features.radius is set, so the neighbours are all points within it");
  if (memory.passes_budget()) {
    log_("the largest tile needs " + std::to_string(memory.needed() >> 20) + " MiB in work, more than the budget of " +
         std::to_string(memory.budget >> 20) + " MiB: the run will pass it; raise memory.budget or process smaller tiles");
  }
  for (const std::string& note : plan.catalog.notes) log_(note);
  for (const catalog::FailedInput& failure : plan.catalog.failed)
    add_failure(ProcessOptions::no_tile, {failure.path, failure.kind, failure.message});
}

void RunCounters::add_failure(std::size_t index, FailedTile failure) {
  log_(failure.message);
  if (setup_.options.failed) setup_.options.failed(index, failure);
  summary_.failed.push_back(std::move(failure));
}

void RunCounters::add_outcomes(const GroundTruth& truth) {
  const MutexLock lock(mutex_);
  pipeline::add_outcomes(truth_, truth);
}

void RunCounters::add(const TileCounts& counts) {
  const MutexLock lock(mutex_);
  if (counts.labels) add_labels(truth_, *counts.labels);
  if (counts.coloured) ++(*counts.coloured ? imagery_.coloured : imagery_.failed);
}

void RunCounters::finished(std::size_t index, const std::exception_ptr& error, const char* waiting_for) {
  if (error) {
    FailedTile failure = failed_tile(setup_.tile_of(setup_.plan.tiles[index]).path, error);
    if (failure.kind == ErrorKind::cancelled) {
      ++summary_.tiles_not_begun;
      return;
    }
    add_failure(index, std::move(failure));
  } else {
    ++summary_.tiles_done;
    summary_.points += points_[index];
  }
  if (!setup_.options.progress) return;
  setup_.options.progress({.done = summary_.tiles_done,
                           .failed = summary_.failed.size(),
                           .skipped = summary_.tiles_skipped,
                           .total = summary_.tiles_total,
                           .points = summary_.points,
                           .seconds = usage_.wall_seconds(),
                           .waiting_for = waiting_for});
}

void RunCounters::settle(const AnonymousPeak& anonymous) {
  const Services& services = setup_.services;
  std::sort(summary_.failed.begin(), summary_.failed.end(), [](const FailedTile& a, const FailedTile& b) { return a.path < b.path; });
  summary_.interrupted = setup_.options.stop.stop_requested();
  {
    const MutexLock lock(mutex_);
    const double waited = summary_.truth.wait_seconds;
    summary_.truth = truth_;
    summary_.truth.wait_seconds = waited;
    summary_.imagery = imagery_;
  }
  if (services.truth) {
    summary_.truth.store = services.truth->store->statistics();
    if (services.truth->http) summary_.truth.http = services.truth->http->statistics();
    if (services.truth->disk && !services.truth->disk->problem().empty()) log_(services.truth->disk->problem());
  }
  if (services.imagery && services.imagery->http) summary_.imagery.http = services.imagery->http->statistics();
  summary_.cpu_seconds = usage_.cpu_seconds();
  summary_.peak_rss = peak_resident_bytes();
  summary_.peak_anonymous = anonymous.peak();
}

}  // namespace tuile::pipeline
