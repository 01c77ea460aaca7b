#include "tuile/pipeline/configured_loader.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "pipeline/load_chain.hpp"
#include "prefetch/tile_annotator.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/mutex.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/source/store.hpp"

namespace tuile::pipeline {

namespace {

using prefetch::TileRequest;
using Place = prefetch::TileAnnotator::Place;

struct ByPathThenBox {
  bool operator()(const TileRequest& a, const TileRequest& b) const noexcept { return key(a) < key(b); }
  static std::tuple<const std::string&, bool, double, double, double, double> key(const TileRequest& r) noexcept {
    const Bounds box = r.bbox.value_or(Bounds{});
    return {r.path, r.bbox.has_value(), box.min_x, box.min_y, box.max_x, box.max_y};
  }
};

prefetch::LoaderOptions loader_options(const ConfiguredLoaderOptions& options) {
  prefetch::LoaderOptions loader;
  loader.num_workers = options.num_workers;
  loader.cache_size = options.cache_size;
  loader.keep_preloaded = options.keep_preloaded;
  loader.memory_budget = options.config.memory.budget.value_or(available_memory() / 2);
  loader.retries = options.config.prefetch.retries;
  return loader;
}

LoadChain::Options chain_options(const ConfiguredLoaderOptions& options, const Services& services) {
  LoadChain::Options chain;
  chain.colours = services.provided_colours();
  chain.reader.fields = options.fields.without(chain.colours);
  chain.sequential = options.num_workers == 0;
  chain.timeout = options.config.prefetch.timeout;
  return chain;
}

/// Why there is no ground truth for a place; empty where there can be some.
std::string obstacle(const Place& place) {
  if (place.bounds.empty()) return "the tile holds no points there, so it lies nowhere";
  if (place.epsg == 0) return "the tile's coordinate reference system is unknown; name it with crs: in the configuration";
  if (!place.counts_in_metres)
    return "the tile's coordinate reference system (EPSG:" + std::to_string(place.epsg) + ") does not count in metres";
  return {};
}

/// Which layers cannot be trusted, and why the first cannot, which often goes for all; empty where all can.
std::string unsound_layers(const GroundTruth& truth) {
  std::string layers, reason;
  for (const LayerTruth& layer : truth.layers) {
    if (is_sound(layer.outcome)) continue;
    if (layers.empty()) reason = layer.reason;
    layers += (layers.empty() ? "" : ", ") + layer.layer + " " + to_string(layer.outcome);
  }
  return layers.empty() ? "" : layers + ": " + reason;
}

bool has_sound_layer(const GroundTruth& truth) {
  return std::any_of(truth.layers.begin(), truth.layers.end(), [](const LayerTruth& layer) { return is_sound(layer.outcome); });
}

}  // namespace

std::string ConfiguredLoaderStatistics::text() const {
  std::string text = loader.text();
  std::string fetches = "   WFS Fetches: " + std::to_string(wfs_fetches);
  if (wfs_failures > 0) fetches += " (failures=" + std::to_string(wfs_failures) + ")";
  return text.insert(text.find("   Avg I/O Time"), fetches + "\n");
}

struct ConfiguredLoader::Impl {
  explicit Impl(ConfiguredLoaderOptions chosen)
      : options(std::move(chosen)),
        executor(options.config.threads.value_or(0)),
        log(serialised(options.warn)),
        services(options.config, log),
        chain(services, executor, chain_options(options, services)) {
    loader.emplace(loader_options(options),
                   [this](const TileRequest& request, std::stop_token stop) { return load(request, std::move(stop)); });
  }
  ~Impl() { loader->shutdown(); }

  static Place cut(Place place, const TileRequest& request) {
    if (request.bbox) place.bounds = place.bounds.intersection(*request.bbox);
    return place;
  }

  /// Where a tile lies; from its header, which every load reads anew, as the file may be another one by then.
  Place read_place(const TileRequest& request, const std::stop_token& stop) {
    try {
      const las::FileInfo info = las::read_info(*services.store->open(request.path, stop));
      const Place place{info.bounds(), options.config.crs.value_or(info.crs.epsg), info.crs.horizontal_unit == 1};
      const MutexLock lock(mutex);
      places.insert_or_assign(request.path, place);
      return cut(place, request);
    } catch (const Error& error) {
      rethrow_at(error, source::public_location(request.path));
    }
  }

  /// As its latest load found it.
  Place place_of(const TileRequest& request, const std::stop_token& stop) {
    {
      const MutexLock lock(mutex);
      if (const auto found = places.find(request.path); found != places.end()) return cut(found->second, request);
    }
    return read_place(request, stop);
  }

  prefetch::Tile load(const TileRequest& request, std::stop_token stop) {
    const Place place = read_place(request, stop);
    bool with_truth = services.truth && obstacle(place).empty();
    {
      const MutexLock lock(mutex);
      with_truth = with_truth && !without_truth.contains(request);
      counted.erase(request);
    }
    return chain.load(request, place, with_truth, std::move(stop));
  }

  /// Remembers, for the load, whether somebody wants the ground truth.
  void note(const TileRequest& request, bool with_truth) {
    const MutexLock lock(mutex);
    if (with_truth)
      without_truth.erase(request);
    else
      without_truth.insert(request);
  }

  void add_truth(LoadedTile& loaded, const TileRequest& request, prefetch::BackgroundFetch::Deadline deadline,
                 const std::stop_token& stop) {
    const Place place = place_of(request, stop);
    loaded.truth_failure = obstacle(place);
    if (loaded.truth_failure.empty()) {
      const std::shared_ptr<const prefetch::TruthTicket> ticket =
          loaded.tile->truth ? loaded.tile->truth : chain.start_truth(place.bounds, place.epsg);
      try {
        loaded.truth = ticket->wait(stop, deadline);
        loaded.truth_failure = unsound_layers(*loaded.truth);
        if (!has_sound_layer(*loaded.truth)) loaded.truth.reset();
      } catch (const TimeoutError&) {
        throw TimeoutError(request.path + ": its ground truth did not come in time; the fetch goes on, ask again or allow more time");
      } catch (const Cancelled&) {
        throw;
      } catch (const Error& error) {
        loaded.truth_failure = error.what();
      }
    }
    const MutexLock lock(mutex);
    if (counted.insert(request).second) ++(loaded.truth_failure.empty() ? fetches : failures);
  }

  const ConfiguredLoaderOptions options;
  Executor executor;
  const Log log;
  Services services;
  LoadChain chain;

  Mutex mutex;
  std::unordered_map<std::string, Place> places GUARDED_BY(mutex);
  std::set<TileRequest, ByPathThenBox> without_truth GUARDED_BY(mutex), counted GUARDED_BY(mutex);
  std::uint64_t fetches GUARDED_BY(mutex) = 0, failures GUARDED_BY(mutex) = 0;

  std::optional<prefetch::AsyncTileLoader> loader;  ///< the last member: its loads use the others
};

ConfiguredLoader::ConfiguredLoader(ConfiguredLoaderOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
ConfiguredLoader::~ConfiguredLoader() = default;

prefetch::TileFuture ConfiguredLoader::preload(const std::string& path, std::optional<Bounds> bbox, bool with_truth) {
  if (impl_->services.truth) impl_->note({path, bbox}, with_truth);
  return impl_->loader->preload_tile(path, bbox);
}

LoadedTile ConfiguredLoader::get(const std::string& path, std::optional<std::chrono::duration<double>> timeout, std::optional<Bounds> bbox,
                                 bool with_truth, std::stop_token stop) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  with_truth = with_truth && impl_->services.truth != nullptr;
  if (impl_->services.truth) impl_->note({path, bbox}, with_truth);
  LoadedTile loaded;
  loaded.tile = impl_->loader->get_tile(path, timeout, bbox, stop);
  const Place place = impl_->place_of({path, bbox}, stop);
  loaded.bounds = place.bounds;
  loaded.epsg = place.epsg;
  if (with_truth) {
    prefetch::BackgroundFetch::Deadline deadline;
    constexpr std::chrono::duration<double> for_ever{1e8};
    if (timeout && *timeout < for_ever) deadline = begin + std::chrono::duration_cast<Clock::duration>(*timeout);
    impl_->add_truth(loaded, {path, bbox}, deadline, stop);
  }
  return loaded;
}

bool ConfiguredLoader::is_ready(const std::string& path, std::optional<Bounds> bbox) const { return impl_->loader->ready(path, bbox); }
bool ConfiguredLoader::has_ground_truth() const noexcept { return impl_->services.truth != nullptr; }
const label::LabelPlan* ConfiguredLoader::label_plan() const noexcept {
  return impl_->services.truth ? &impl_->services.truth->labels : nullptr;
}
prefetch::AsyncTileLoader& ConfiguredLoader::loader() noexcept { return *impl_->loader; }

ConfiguredLoaderStatistics ConfiguredLoader::statistics() const {
  ConfiguredLoaderStatistics statistics{.loader = impl_->loader->get_stats()};
  const MutexLock lock(impl_->mutex);
  statistics.wfs_fetches = impl_->fetches;
  statistics.wfs_failures = impl_->failures;
  return statistics;
}

void ConfiguredLoader::shutdown() {
  impl_->chain.shutdown();
  impl_->loader->shutdown();
}

}  // namespace tuile::pipeline
