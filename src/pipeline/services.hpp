#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "imagery/imagery.hpp"
#include "pipeline/run_plan.hpp"
#include "tuile/config/config.hpp"
#include "tuile/label/label.hpp"
#include "tuile/source/http.hpp"
#include "tuile/source/store.hpp"
#include "tuile/truth/store.hpp"

namespace tuile::pipeline {

using Log = std::function<void(const std::string&)>;

/// `warn` for callers on any thread: one line at a time. Never empty, whatever `warn` is.
Log serialised(std::function<void(const std::string&)> warn);

/// Where a run's ground truth comes from, and what it means.
struct TruthService {
  std::shared_ptr<source::HttpClient> http;  ///< null for files
  std::shared_ptr<truth::DiskCache> disk;    ///< null for files, and where there is none
  std::shared_ptr<truth::FeatureSource> source;
  std::unique_ptr<truth::TruthStore> store;
  label::LabelPlan labels;
  int threads = 1;  ///< that fetch
};

/// Where a run's colours come from, if not from its tiles.
struct ImageryService {
  std::shared_ptr<source::HttpClient> http;  ///< null for files
  std::unique_ptr<imagery::ImagerySource> source;
  int threads = 1;
};

/// The layers of a configuration as they are labelled with. Throws ConfigError naming the layer and what is wrong with its condition.
label::LabelPlan label_plan(const config::GroundTruth& config);

/// Opens the run's inputs. prefetch.timeout bounds the time without a byte, prefetch.retries: 0 switches retries off.
std::unique_ptr<source::Store> make_input_store(const config::Config& config, const Log& log);

/// Null where the configuration asks for none. log: retries, throttling and such, one line each, from any thread; may be empty.
/// Throws ConfigError for files that cannot be used.
std::unique_ptr<TruthService> make_truth_service(const config::GroundTruth& config, const Log& log);
std::unique_ptr<ImageryService> make_imagery_service(const config::Config& config, const Log& log);

/// What a configuration names to read from, opened once for whatever loads tiles.
struct Services {
  /// Throws ConfigError for what cannot be used.
  Services(const config::Config& config, const Log& log);

  std::unique_ptr<source::Store> store;
  std::unique_ptr<TruthService> truth;      ///< null: no ground truth is asked for
  std::unique_ptr<ImageryService> imagery;  ///< null: colours come from the tiles, if at all

  /// Colours that the images have; none without images.
  FieldSet provided_colours() const;
  /// Side of the finest pixel, metres; 0 without images.
  double finest_pixel() const;
  /// What the plan of a run must know of them.
  RunContext context(std::string backend) const;
};

/// `~` and `~/…` with the home folder in its place. Throws ConfigError where there is none.
std::string expand_home(const std::string& path);

}  // namespace tuile::pipeline
