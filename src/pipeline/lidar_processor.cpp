#include "tuile/pipeline/lidar_processor.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <unordered_map>
#include <utility>

#include "pipeline/assemble.hpp"
#include "pipeline/auto_pace.hpp"
#include "pipeline/memory_plan.hpp"
#include "pipeline/publish.hpp"
#include "pipeline/resources.hpp"
#include "pipeline/run_plan.hpp"
#include "pipeline/services.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/core/file/atomic_file.hpp"
#include "tuile/core/file/temporaries.hpp"
#include "tuile/core/version.hpp"
#include "tuile/prefetch/background_fetch.hpp"
#include "tuile/prefetch/tile_annotator.hpp"
#include "tuile/prefetch/truth_loader.hpp"
#include "tuile/source/store.hpp"

namespace fs = std::filesystem;

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

/// One run of the main job: its phases, and what they share.
class ProcessRun {
 public:
  explicit ProcessRun(const ProcessOptions& options)
      : options_(options),
        config_(options.config),
        executor_(config_.threads.value_or(0)),
        backend_(compute::make_backend(config_.backend, executor_, backend_options(0), &backend_reason_)) {}

  RunSummary go() {
    truth_ = make_truth_service(config_.ground_truth, log());
    imagery_ = make_imagery_service(config_, log());
    store_ = make_input_store(config_, log());
    plan_ = plan_run(options_, run_context(backend_->name(), truth_.get(), imagery_.get()), *store_);
    memory_ = plan_memory(plan_, config_, wanted_colours(), imagery_ ? imagery_->source->finest_pixel() : 0, traits_of(*backend_));
    if (memory_.search > 0) backend_ = compute::make_backend(backend_->name(), executor_, backend_options(memory_.search));
    prepare_output();
    start_summary();
    if (options_.fail_fast && !summary_.failed.empty()) {
      summary_.tiles_not_begun = plan_.tiles.size();
    } else {
      run_pipeline();
    }
    finish_summary();
    return std::move(summary_);
  }

 private:
  const catalog::TileEntry& tile_of(const PlannedTile& planned) const { return plan_.catalog.tiles[plan_.catalog.jobs[planned.job].tile]; }

  compute::BackendOptions backend_options(std::uint64_t memory) {
    compute::BackendOptions options{.memory = memory, .devices = config_.devices.value_or(std::vector<int>{})};
    if (config_.trace)
      options.on_device = [this](const compute::DeviceSpan& span) { trace_.add_device(span.device, span.what, span.begin, span.end); };
    return options;
  }

  void prepare_output() const {
    if (options_.deliver) return;
    create_folders(config_.output);
    std::set<fs::path> folders{config_.output};
    for (const PlannedTile& planned : plan_.tiles) folders.insert(fs::path(planned.output).parent_path());
    for (const fs::path& folder : folders) remove_stale_temporaries(folder);
  }

  /// Services speak from their own threads.
  Log log() {
    if (!options_.warn) return {};
    return [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      options_.warn(line);
    };
  }

  void start_summary() {
    summary_.version = version();
    summary_.backend = backend_->name();
    summary_.device = backend_->description();
    summary_.backend_reason = backend_reason_;
    summary_.config_hash = plan_.config_hash;
    summary_.tiles_skipped = plan_.skipped.size();
    summary_.tiles_total = plan_.catalog.jobs.size() + plan_.catalog.failed.size();
    summary_.notes = plan_.catalog.notes;
    summary_.memory_budget = memory_.budget;
    summary_.threads = executor_.threads();
    summary_.workers = memory_.workers;
    summary_.ahead = memory_.ahead;
    summary_.batch = memory_.batch;
    summary_.computers = memory_.computers;
    summary_.writers = memory_.writers;
    if (truth_) summary_.truth.source = truth_->source->name();
    if (imagery_) summary_.imagery.source = imagery_->source->name();
    for (const catalog::FailedInput& failure : plan_.catalog.failed) {
      summary_.failed.push_back({failure.path, failure.kind, failure.message});
      if (options_.failed) options_.failed(ProcessOptions::no_tile, summary_.failed.back());
    }
    for (const PlannedTile& planned : plan_.tiles) summary_.points_in_input += tile_of(planned).points;
    if (options_.warn) {
      if (config_.features.radius && config_.origins.contains("features.k")) {
        options_.warn("features.k is not used: features.radius is set, so the neighbours are all points within it");
      }
      if (memory_.passes_budget()) {
        options_.warn("the largest tile needs " + std::to_string((memory_.working + memory_.strips) >> 20) +
                      " MiB in work, more than the budget of " + std::to_string(memory_.budget >> 20) +
                      " MiB: the run will pass it; raise memory.budget or process smaller tiles");
      }
      for (const std::string& note : plan_.catalog.notes) options_.warn(note);
      for (const FailedTile& failure : summary_.failed) options_.warn(failure.message);
    }
  }

  static FieldSet colours_of(FieldSet fields) {
    fields.bits &= FieldSet{}.with(Field::rgb).with(Field::nir).bits;
    return fields;
  }

  FieldSet fields_to_decode() const {
    FieldSet fields = plan_.computed.fields();
    if (config_.imagery.source != config::ImagerySource::tile) fields.bits &= ~colours_of(fields).bits;
    return fields;
  }

  /// What images are asked for: what columns need, and all colours where the points themselves are written.
  FieldSet wanted_colours() const {
    if (!imagery_) return {};
    const FieldSet wanted = config_.write.laz_wanted ? FieldSet{}.with(Field::rgb).with(Field::nir) : colours_of(plan_.computed.fields());
    return {wanted.bits & imagery_->source->provides().bits};
  }

  /// The tile that a request loads, where it is no halo.
  const PlannedTile* core_of(const prefetch::TileRequest& request) const {
    const auto at = by_path_.find(request.path);
    return at != by_path_.end() && plan_.tiles[at->second].task.tile == request ? &plan_.tiles[at->second] : nullptr;
  }

  prefetch::LoaderOptions loader_options() const {
    prefetch::LoaderOptions options;
    options.num_workers = memory_.workers;
    // A tile's parts are entries of their own: room for a window of tiles with eight neighbours each.
    options.cache_size = config_.prefetch.cache_tiles.value_or(static_cast<std::size_t>(9 * (memory_.most_ahead + memory_.most_batch + 1)));
    options.memory_budget = memory_.loading;
    options.expected_bytes = memory_.tile;
    options.retries = config_.prefetch.retries;
    options.keep_preloaded = true;  // every tile that is preloaded is got, once
    return options;
  }

  void run_pipeline() {
    prefetch::TileReader reader(
        {.fields = fields_to_decode(), .strip_budget = memory_.strips, .store = store_.get(), .memory = backend_->host_memory()},
        executor_);
    for (const PlannedTile& planned : plan_.tiles) {
      if (!planned.task.tile.bbox) reader.announce(planned.task.tile.path);
      for_each_part(planned.task, [&](const auto& part) { reader.expect(part.path, *part.bbox); });
    }
    Trace* const trace = config_.trace ? &trace_ : nullptr;
    // The sequential baseline fetches one after the other, too.
    const auto threads = [&](int count) { return memory_.workers == 0 ? 0 : count; };
    prefetch::BackgroundFetch truth_threads(threads(truth_ ? truth_->threads : 0)),
        image_threads(threads(imagery_ ? imagery_->threads : 0));
    std::optional<prefetch::TruthLoader> truth_loader;
    if (truth_) truth_loader.emplace(*truth_->store, truth_threads);
    const prefetch::TileAnnotator annotator(reader, executor_,
                                            {.truth = truth_loader ? &*truth_loader : nullptr,
                                             .images = imagery_ ? imagery_->source.get() : nullptr,
                                             .image_threads = &image_threads,
                                             .colours = wanted_colours(),
                                             .patience = std::chrono::duration<double>(0.8 * config_.prefetch.timeout)});
    for (std::size_t i = 0; i < plan_.tiles.size(); ++i) by_path_.emplace(plan_.tiles[i].task.tile.path, i);
    prefetch::AsyncTileLoader loader(loader_options(), [&](const prefetch::TileRequest& request, std::stop_token stop) {
      const TraceSpan span(trace, "load", source::public_location(request.path));
      const PlannedTile* const core = core_of(request);
      return core == nullptr ? reader.load(request, std::move(stop))
                             : annotator.load(request, {core->bounds, tile_of(*core).epsg, tile_of(*core).crs_unit == 1}, std::move(stop));
    });
    const std::stop_callback stop_loading(options_.stop, [&loader] { loader.shutdown(); });

    AsyncPipeline pipeline(loader,
                           {.ahead = memory_.ahead,
                            .batch_size = memory_.batch,
                            .computers = memory_.computers,
                            .writers = memory_.writers,
                            .pending_writes = memory_.pending,
                            .fail_fast = options_.fail_fast,
                            .timeout = config_.prefetch.timeout},
                           trace);

    std::optional<AutoPace> auto_pace;
    if (memory_.workers > 0)
      auto_pace.emplace(
          loader, pipeline, [&] { return wait_times(reader, image_threads); }, tuning_limits());

    rows_.assign(plan_.tiles.size(), 0);
    std::vector<TileTask> tasks;
    for (const PlannedTile& planned : plan_.tiles) tasks.push_back(planned.task);
    Stages stages;
    stages.pace = [&] {
      if (options_.admit) options_.admit();
      return auto_pace ? auto_pace->pace() : Pace{memory_.ahead, memory_.batch};
    };
    stages.compute = [&](std::span<const LoadedTask> batch) { return compute(batch); };
    stages.write = [&](std::size_t index, const Product& product) {
      finish_tile(plan_.tiles[index], *std::static_pointer_cast<ComputedTile>(product), trace);
    };
    stages.finished = [&](std::size_t index, const std::exception_ptr& error) {
      for_each_part(tasks[index], [&](const auto& part) { reader.forget(part.path, *part.bbox); });
      reader.renounce(tasks[index].tile.path);
      finished(index, error, pipeline);
    };
    pipeline.process(tasks, stages, options_.stop);
    if (auto_pace) report_pace(auto_pace->state());
    summary_.times = pipeline.times();
    summary_.compute = backend_->report();
    summary_.loader = loader.get_stats();
    summary_.reader = reader.statistics();
    summary_.truth.wait_seconds = truth_threads.statistics().waited_seconds;
  }

  TuningLimits tuning_limits() const {
    std::size_t loads = 0, points = 0;
    for (const PlannedTile& planned : plan_.tiles) {
      loads += 1 + planned.task.halo.size();
      points += tile_of(planned).points;
    }
    const auto tiles = static_cast<double>(std::max<std::size_t>(plan_.tiles.size(), 1));
    constexpr double usual_rate = 2.5e6;  // points a second and thread, rather too many: too few loads at first cost more than too many
    // The first tile needs its neighbours too.
    const int first_files = plan_.tiles.empty() ? 1 : static_cast<int>(1 + plan_.tiles.front().task.halo.size());
    const auto fixed = [this](const auto& chosen, int planned) {
      return memory_.tight ? std::optional(planned) : std::optional<int>(chosen);
    };
    return {.workers = fixed(config_.prefetch.workers, memory_.workers),
            .ahead = fixed(config_.prefetch.ahead, memory_.ahead),
            .batch = fixed(config_.batch.size, memory_.batch),
            .first_workers = std::clamp(first_files, 2, 4),
            .most_workers = memory_.most_workers,
            .most_ahead = memory_.most_ahead,
            .most_batch = memory_.most_batch,
            .loads_per_tile = static_cast<double>(loads) / tiles,
            .likely_compute = static_cast<double>(points) / tiles / (usual_rate * executor_.threads())};
  }

  static WaitTimes wait_times(const prefetch::TileReader& reader, const prefetch::BackgroundFetch& images) {
    const prefetch::ReaderStatistics read = reader.statistics();
    return {read.read_seconds + images.statistics().waited_seconds, read.full_decodes + read.partial_decodes == 0};
  }

  void report_pace(const PrefetchTuner& tuner) {
    summary_.workers = tuner.current().workers;
    summary_.ahead = tuner.current().ahead;
    summary_.batch = tuner.current().batch;
    summary_.tuning = {.changes = tuner.changes(), .wait_seconds = tuner.wait_seconds(), .compute_seconds = tuner.compute_seconds()};
  }

  /// Calls action(request) for the loads of a task that want a part of a file only.
  template <class Action>
  static void for_each_part(const TileTask& task, Action&& action) {
    if (task.tile.bbox) action(task.tile);
    for (const prefetch::TileRequest& part : task.halo) action(part);
  }

  std::vector<Product> compute(std::span<const LoadedTask> batch) {
    std::vector<std::shared_ptr<ComputedTile>> computed;
    std::vector<compute::TileInput> inputs;
    for (const LoadedTask& task : batch) {
      const PlannedTile& planned = plan_.tiles[task.index];
      const double scale = planned.grid_scale;
      auto tile = std::make_shared<ComputedTile>();
      tile->input = assemble(task.tile, task.halo, scale);
      tile->halo_errors = task.halo_errors;
      rows_[task.index] = tile->input->core->size();
      warn_of_missing(planned, *tile);
      inputs.push_back({tile->input->core, &tile->input->halo, grid_bounds(planned.bounds, scale), config_.halo, spill_folder(*tile)});
      computed.push_back(std::move(tile));
    }
    std::vector<compute::TileOutput> outputs = backend_->compute(inputs, plan_.computed, plan_.preprocess, options_.stop);
    std::vector<Product> products;
    for (std::size_t i = 0; i < computed.size(); ++i) {
      computed[i]->output = std::move(outputs[i]);
      refuse_missing(computed[i]->output, plan_, config_.features.missing);
      computed[i]->input->drop_halo();
      products.push_back(std::move(computed[i]));
    }
    return products;
  }

  /// Where the rows of a tile go that are too large for the memory there is; empty for others.
  std::string spill_folder(const ComputedTile& tile) const {
    const std::uint64_t bytes = std::uint64_t{tile.input->core->size()} * plan_.computed.columns.size() * sizeof(float);
    if (bytes < memory_.spilled_rows) return {};
    return options_.deliver ? fs::temp_directory_path().string() : config_.output;
  }

  /// On a writer's thread: a tile whose ground truth is late does not hold back those that are computed meanwhile.
  void finish_tile(const PlannedTile& planned, ComputedTile& computed, Trace* trace) {
    if (truth_) {
      const TraceSpan span(trace, "label", source::public_location(planned.task.tile.path));
      std::shared_ptr<const GroundTruth> truth = computed.input->tile->truth->wait(options_.stop);
      {
        const std::lock_guard lock(mutex_);
        add_outcomes(summary_.truth, *truth);
      }
      computed.labels = label_tile(std::move(truth), *computed.input->core, computed.output, truth_->labels,
                                   config_.ground_truth.on_failure, executor_, options_.stop);
    }
    settle_columns(computed.output, plan_, config_.features.missing);
    if (!options_.deliver)
      publish(planned, computed, plan_, config_, imagery_ ? imagery_->source.get() : nullptr, *store_, executor_, options_.stop);
    {
      const std::lock_guard lock(mutex_);
      count_annotations(computed);
    }
    if (options_.deliver) deliver(planned, computed);
  }

  void deliver(const PlannedTile& planned, ComputedTile& computed) {
    const catalog::TileEntry& tile = tile_of(planned);
    std::shared_ptr<const AssembledTile> input = std::move(computed.input);
    DeliveredTile delivered{.index = static_cast<std::size_t>(&planned - plan_.tiles.data()),
                            .path = source::public_location(tile.path),
                            .name = tile.name,
                            .points = std::shared_ptr<const PointBlock>(input, input->core),
                            .features = std::move(computed.output.features),
                            .valid = std::move(computed.output.valid),
                            .epsg = tile.epsg,
                            .bounds = planned.bounds};
    if (computed.labels && computed.labels->labelled) {
      delivered.labels = std::move(computed.labels->block);
      delivered.objects = std::move(computed.labels->objects);
    }
    const std::lock_guard lock(delivery_);
    options_.deliver(std::move(delivered));
  }

  /// With the mutex held.
  void count_annotations(const ComputedTile& computed) {
    if (computed.labels) add_labels(summary_.truth, *computed.labels);
    if (const auto& colours = computed.input->tile->colours) {
      const bool is_failed = colours->rgb == Outcome::failed || colours->nir == Outcome::failed;
      ++(is_failed ? summary_.imagery.failed : summary_.imagery.coloured);
    }
  }

  void warn_of_missing(const PlannedTile& planned, const ComputedTile& tile) {
    const std::lock_guard lock(mutex_);
    for (std::size_t h = 0; options_.warn && h < tile.halo_errors.size(); ++h) {
      if (tile.halo_errors[h])
        options_.warn(source::public_location(tile_of(planned).path) + " goes on without its neighbour: " + tile.halo_errors[h]->message);
    }
  }

  static GridBounds grid_bounds(const Bounds& bounds, double scale) {
    if (bounds.empty()) return {};
    const auto units = [scale](double metres) { return static_cast<std::int64_t>(std::llround(metres / scale)); };
    return {units(bounds.min_x), units(bounds.min_y), units(bounds.max_x), units(bounds.max_y)};
  }

  /// Called by one thread at a time.
  void finished(std::size_t index, const std::exception_ptr& error, const AsyncPipeline& pipeline) {
    if (error) {
      FailedTile failure = failed_tile(tile_of(plan_.tiles[index]).path, error);
      if (failure.kind == ErrorKind::cancelled) {
        ++summary_.tiles_not_begun;
        return;
      }
      if (options_.warn) options_.warn(failure.message);
      if (options_.failed) options_.failed(index, failure);
      summary_.failed.push_back(std::move(failure));
    } else {
      ++summary_.tiles_done;
      summary_.points += rows_[index];
    }
    if (!options_.progress) return;
    options_.progress({.done = summary_.tiles_done,
                       .failed = summary_.failed.size(),
                       .skipped = summary_.tiles_skipped,
                       .total = summary_.tiles_total,
                       .points = summary_.points,
                       .seconds = usage_.wall_seconds(),
                       .waiting_for = pipeline.waiting_for()});
  }

  void finish_summary() {
    std::sort(summary_.failed.begin(), summary_.failed.end(), [](const FailedTile& a, const FailedTile& b) { return a.path < b.path; });
    summary_.interrupted = options_.stop.stop_requested();
    if (truth_) {
      summary_.truth.store = truth_->store->statistics();
      if (truth_->http) summary_.truth.http = truth_->http->statistics();
    }
    if (truth_ && truth_->disk && options_.warn && !truth_->disk->problem().empty()) options_.warn(truth_->disk->problem());
    if (imagery_ && imagery_->http) summary_.imagery.http = imagery_->http->statistics();
    summary_.cpu_seconds = usage_.cpu_seconds();
    summary_.peak_rss = peak_resident_bytes();
    summary_.peak_anonymous = anonymous_.peak();
    // What was computed is computed: a report that cannot be written is no reason to lose the summary.
    if (options_.run_report && !options_.deliver) or_warn([&] { save_run_report(summary_, config_.output); });
    if (config_.trace) or_warn([&] { trace_.save(*config_.trace); });
  }

  template <class Action>
  void or_warn(Action&& action) const {
    try {
      action();
    } catch (const Error& error) {
      if (options_.warn) options_.warn(error.what());
    }
  }

  const ProcessOptions& options_;
  const config::Config& config_;
  const ResourceUsage usage_;
  AnonymousPeak anonymous_;
  Trace trace_;  ///< before the backend, which adds to it
  Executor executor_;
  std::string backend_reason_;  ///< before the backend, which sets it
  std::unique_ptr<compute::Backend> backend_;
  std::unique_ptr<source::Store> store_;
  std::unique_ptr<TruthService> truth_;
  std::unique_ptr<ImageryService> imagery_;
  RunPlan plan_;
  MemoryPlan memory_;
  std::vector<std::uint64_t> rows_;                       ///< per planned tile; written by compute, read when it is finished
  std::unordered_map<std::string, std::size_t> by_path_;  ///< planned tile of a path
  std::mutex mutex_;                                      ///< warnings of services; summary_.truth and .imagery, which writers count
  std::mutex delivery_;                                   ///< held while a tile is handed over
  RunSummary summary_;
};

}  // namespace

LidarProcessor::LidarProcessor(ProcessOptions options) : options_(std::move(options)) {}

RunSummary LidarProcessor::process() { return ProcessRun(options_).go(); }

}  // namespace tuile::pipeline
