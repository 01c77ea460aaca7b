#include "pipeline/services.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "truth/vector_files.hpp"
#include "truth/wfs.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::pipeline {

namespace {

constexpr int file_threads = 2;  // reading vector files and images is half waiting, half work

source::HttpOptions http_options(const config::Service& service, const std::string& shared_folder, const Log& log) {
  source::HttpOptions options;
  options.requests_per_second = service.requests_per_second;
  options.max_in_flight = service.max_in_flight;
  options.timeout = service.timeout;
  options.retries = service.retries;
  // All requests under way may use up their retries before the service counts as down.
  options.breaker_failures = std::max(options.breaker_failures, service.max_in_flight * (service.retries + 1));
  options.shared_folder = shared_folder;
  options.log = log;
  return options;
}

/// Folder of the disk cache and of the host's token bucket, for all processes that name it; empty for none.
std::string shared_folder(const config::GroundTruth& config) { return config.cache.disk ? expand_home(*config.cache.disk) : ""; }

/// A file that the configuration names and that is not there is a mistake of the configuration.
template <class Open>
auto as_config_error(const char* key, Open&& open) {
  try {
    return open();
  } catch (const NotFound& error) {
    throw ConfigError(std::string(key) + ": " + error.what());
  } catch (const PermissionDenied& error) {
    throw ConfigError(std::string(key) + ": " + error.what());
  }
}

std::vector<truth::Layer> layers_of(const config::GroundTruth& config) {
  std::vector<truth::Layer> layers;
  for (const config::TruthLayer& layer : config.layers) layers.push_back({layer.layer, layer.only, layer.buffer, layer.attributes});
  return layers;
}

}  // namespace

std::string expand_home(const std::string& path) {
  if (path != "~" && !path.starts_with("~/")) return path;
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0')
    throw ConfigError("ground_truth.cache.disk is " + path + " and HOME is not set; name a folder, or null for none");
  return home + path.substr(1);
}

label::LabelPlan label_plan(const config::GroundTruth& config) {
  label::LabelPlan plan;
  for (const config::TruthLayer& layer : config.layers) {
    label::LayerRules rules{layer.layer, {}};
    for (const config::LabelRule& rule : layer.rules) {
      try {
        rules.rules.push_back({static_cast<std::uint8_t>(rule.asprs_class), label::Condition(rule.where)});
      } catch (const InvalidArgument& error) {
        throw ConfigError("ground_truth.layers: " + layer.layer + ": " + error.what());
      }
    }
    plan.layers.push_back(std::move(rules));
  }
  return plan;
}

std::unique_ptr<source::Store> make_input_store(const config::Config& config, const Log& log) {
  source::HttpOptions options = source::Store::http_defaults();
  options.retries = config.prefetch.retries == 0 ? 0 : std::max(options.retries, config.prefetch.retries);
  options.timeout = std::min(options.timeout, config.prefetch.timeout);
  options.breaker_failures = options.max_in_flight * (options.retries + 1);
  options.log = log;
  return std::make_unique<source::Store>(std::move(options));
}

std::unique_ptr<TruthService> make_truth_service(const config::GroundTruth& config, const Log& log) {
  if (config.source == "none") return nullptr;
  auto service = std::make_unique<TruthService>();
  service->labels = label_plan(config);
  if (config.source == "wfs") {
    const std::string folder = shared_folder(config);
    service->http = std::make_shared<source::HttpClient>(http_options(config.wfs.service, folder, log));
    service->source = truth::make_wfs({.url = config.wfs.url,
                                       .prefix = config.wfs.prefix,
                                       .page_size = config.wfs.page_size,
                                       .sort_by = config.wfs.sort_by,
                                       .edition_folder = folder},
                                      service->http);
    if (!folder.empty())
      service->disk = std::make_shared<truth::DiskCache>(
          truth::DiskCache::Options{.folder = folder, .limit = config.cache.disk_size, .max_age_days = config.cache.max_age_days});
    service->threads = config.wfs.service.max_in_flight;
  } else {
    service->source = as_config_error("ground_truth.source", [&] { return truth::open_vector_files(config.source); });
    service->threads = file_threads;
  }
  service->store = std::make_unique<truth::TruthStore>(
      service->source, layers_of(config),
      truth::StoreOptions{.cell = config.cache.cell, .memory = truth::process_memory_cache(config.cache.memory), .disk = service->disk});
  return service;
}

std::unique_ptr<ImageryService> make_imagery_service(const config::Config& all, const Log& log) {
  const config::Imagery& config = all.imagery;
  if (config.source == config::ImagerySource::tile || config.source == config::ImagerySource::none) return nullptr;
  auto service = std::make_unique<ImageryService>();
  if (config.source == config::ImagerySource::wms) {
    service->http = std::make_shared<source::HttpClient>(http_options(config.wms.service, shared_folder(all.ground_truth), log));
    service->source = imagery::make_wms({.url = config.wms.url,
                                         .rgb_layer = config.wms.rgb_layer,
                                         .irc_layer = config.wms.irc_layer,
                                         .resolution = config.wms.resolution,
                                         .max_pixels = config.wms.max_pixels},
                                        service->http);
    service->threads = config.wms.service.max_in_flight;
  } else {
    service->source = as_config_error("imagery.source", [&] { return imagery::open_rasters(config.files); });
    service->threads = file_threads;
  }
  return service;
}

Log serialised(std::function<void(const std::string&)> warn) {
  if (!warn) return [](const std::string&) {};
  return [warn = std::move(warn), mutex = std::make_shared<Mutex>()](const std::string& line) {
    const MutexLock lock(*mutex);
    warn(line);
  };
}

Services::Services(const config::Config& config, const Log& log)
    : store(make_input_store(config, log)),
      truth(make_truth_service(config.ground_truth, log)),
      imagery(make_imagery_service(config, log)) {}

FieldSet Services::provided_colours() const { return imagery ? imagery->source->provides() & all_colours : FieldSet{}; }

double Services::finest_pixel() const { return imagery ? imagery->source->finest_pixel() : 0; }

RunContext Services::context(std::string backend) const {
  RunContext context{std::move(backend), {}, {}};
  if (truth) {
    context.labelling_needs = truth->labels.needs();
    context.services += "ground truth of " + truth->source->identity() + "\n";
  }
  if (imagery) context.services += "imagery of " + imagery->source->identity() + "\n";
  return context;
}

}  // namespace tuile::pipeline
