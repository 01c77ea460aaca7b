#include "pipeline/run_plan.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <unordered_set>

#include "tuile/config/load.hpp"
#include "tuile/core/output_format.hpp"
#include "tuile/core/version.hpp"
#include "tuile/source/store.hpp"

namespace fs = std::filesystem;

namespace tuile::pipeline {

namespace {

std::string hash_of(const ProcessOptions& options, const std::string& services) {
  std::string text = config::byte_relevant_text(options.config) + services;
  if (options.bbox) {
    std::array<char, 160> box{};
    std::snprintf(box.data(), box.size(), "bbox: %.17g,%.17g,%.17g,%.17g\n", options.bbox->min_x, options.bbox->min_y, options.bbox->max_x,
                  options.bbox->max_y);
    text += box.data();
  }
  std::array<char, 24> hex{};
  std::snprintf(hex.data(), hex.size(), "%016llx", static_cast<unsigned long long>(XXH3_64bits(text.data(), text.size())));
  return std::string("xxh3:") + hex.data();
}

/// The files that a run would write for an output path without extension.
std::vector<std::string> output_files(const std::string& output, const config::Write& write) {
  std::vector<std::string> files{output + ".json"};
  for (const OutputFormat* format : output_formats_of(write.formats)) files.push_back(output + std::string(format->extension));
  return files;
}

/// The path without links and dots, as far as they can be followed.
std::string canonical(const fs::path& path) {
  std::error_code error;
  const fs::path followed = fs::weakly_canonical(path, error);
  return (error ? path : followed).string();
}

void refuse_overwriting_inputs(const std::vector<catalog::InputFile>& inputs, const config::Config& config) {
  std::unordered_set<std::string> paths;
  for (const catalog::InputFile& input : inputs) paths.insert(canonical(input.path));
  for (const catalog::InputFile& input : inputs) {
    for (const std::string& file : output_files((fs::path(config.output) / input.name).string(), config.write)) {
      if (paths.contains(canonical(file))) {
        throw ConfigError("the output " + file + " of input " + input.path +
                          " would overwrite an input; choose another output folder with -o");
      }
    }
  }
}

write::FileIdentity identity(const catalog::TileEntry& tile) {
  return {source::public_location(tile.path), tile.file_size, tile.modified_ns};
}

void refuse_long_names(const features::FeaturePlan& plan, const OutputFormat& format) {
  for (const features::Column& column : plan.columns) {
    if (format.longest_column_name == 0 || column.name.size() <= format.longest_column_name) continue;
    if (features::info(column.feature).las_dimension) continue;  // the records have it already
    throw ConfigError("column '" + column.name + "' has a name of " + std::to_string(column.name.size()) + " bytes, and " +
                      std::string(format.name) + " takes " + std::to_string(format.longest_column_name) +
                      "; give the scale a shorter radius, or leave the format out");
  }
}

/// Leaves the jobs of the named tiles. Throws as reading the header of another tile, which is needed for its halo, has failed; ConfigError
/// where a name is no input's.
void keep_only(catalog::Catalog& catalog, const std::vector<std::string>& names) {
  std::unordered_set<std::string> missing(names.begin(), names.end());
  const std::unordered_set<std::string> wanted = missing;
  for (const catalog::FailedInput& failure : catalog.failed) {
    if (missing.erase(failure.name) == 0) throw_error(failure.kind, failure.message);
  }
  std::erase_if(catalog.jobs, [&](const catalog::TileJob& job) { return !wanted.contains(catalog.tiles[job.tile].name); });
  for (const catalog::TileJob& job : catalog.jobs) missing.erase(catalog.tiles[job.tile].name);
  if (!missing.empty()) throw ConfigError("only: '" + *missing.begin() + "' is not the name of an input tile");
}

/// `plan` with the columns of `needs` that it lacks, of the main scale, at its end.
features::FeaturePlan with_needs(features::FeaturePlan plan, const std::vector<features::Feature>& needs) {
  for (const features::Feature feature : needs) {
    const bool is_there = std::any_of(plan.columns.begin(), plan.columns.end(),
                                      [&](const features::Column& column) { return column.feature == feature && column.scale == 0; });
    if (!is_there) plan.columns.push_back({feature, 0, std::string(features::info(feature).name)});
  }
  return plan;
}

PlannedTile plan_tile(const RunPlan& plan, std::size_t job_index, const ProcessOptions& options, const std::string& backend) {
  const catalog::TileJob& job = plan.catalog.jobs[job_index];
  const catalog::TileEntry& tile = plan.catalog.tiles[job.tile];
  PlannedTile planned;
  planned.job = job_index;
  planned.bounds = options.bbox ? tile.bounds.intersection(*options.bbox) : tile.bounds;
  planned.output = (fs::path(options.config.output) / tile.name).string();
  planned.task.tile = {tile.path, options.bbox};
  planned.grid_scale = tile.grid_scale;
  const auto add_halo = [&](std::size_t neighbour) {
    planned.grid_scale = std::min(planned.grid_scale, plan.catalog.tiles[neighbour].grid_scale);
    planned.task.halo.push_back({plan.catalog.tiles[neighbour].path, planned.bounds.expanded(plan.halo)});
    planned.halo_tiles.push_back(neighbour);
    planned.key.halo.push_back(identity(plan.catalog.tiles[neighbour]));
  };
  if (plan.computed.needs_neighbours() || plan.computed.needs_ground() || plan.preprocess.has_filters()) {
    // A cut tile is its own neighbour: its points beyond the box are halo.
    if (options.bbox && plan.halo > 0) add_halo(job.tile);
    for (const std::size_t neighbour : job.neighbours) {
      if (plan.catalog.tiles[neighbour].bounds.intersects(planned.bounds.expanded(plan.halo))) add_halo(neighbour);
    }
  }
  planned.key.input = identity(tile);
  planned.key.config_hash = plan.config_hash;
  planned.key.backend = backend;
  planned.key.version = version();
  return planned;
}

}  // namespace

features::FeaturePlan feature_plan(const config::Config& config) {
  const config::Features& f = config.features;
  const bool from_tile = config.imagery.source == config::ImagerySource::tile || config.imagery.source == config::ImagerySource::none;
  std::vector<features::Neighbourhood> scales;
  scales.push_back({f.k, f.radius.value_or(0), f.max_neighbors});
  for (const config::Scale& scale : f.scales) scales.push_back({scale.k.value_or(f.k), scale.radius.value_or(0), f.max_neighbors});
  try {
    return features::make_plan(f.names.empty() ? features::set_columns(f.set) : f.names, scales, from_tile ? f.color_depth : 16);
  } catch (const InvalidArgument& error) {
    throw ConfigError(std::string("features: ") + error.what());
  }
}

compute::Preprocess preprocess_of(const config::Config& config) {
  const config::Preprocess& from = config.preprocess;
  compute::Preprocess to;
  to.exclude_classes = from.exclude_classes;
  if (from.statistical_outliers.enabled) to.statistical_outliers = {from.statistical_outliers.k, from.statistical_outliers.std};
  if (from.radius_outliers.enabled) to.radius_outliers = {from.radius_outliers.radius, from.radius_outliers.min_neighbors};
  if (from.voxel.enabled) to.voxel = from.voxel.size;
  return to;
}

RunPlan plan_run(const ProcessOptions& options, const RunContext& context, source::Store& store) {
  const config::Config& config = options.config;
  RunPlan plan;
  plan.features = feature_plan(config);
  for (const OutputFormat* format : output_formats_of(config.write.formats)) refuse_long_names(plan.features, *format);
  plan.computed = with_needs(plan.features, context.labelling_needs);
  plan.preprocess = preprocess_of(config);
  plan.halo = config.halo > 0 ? config.halo + plan.preprocess.reach() : 0;
  plan.config_hash = hash_of(options, context.services);
  const std::vector<catalog::InputFile> inputs =
      options.inputs.empty() ? catalog::expand_inputs(config.input, options.writes_files() ? config.output : "") : options.inputs;
  if (options.writes_files()) refuse_overwriting_inputs(inputs, config);
  plan.catalog = catalog::build_catalog(
      inputs,
      {.halo = plan.halo, .crs = config.crs.value_or(0), .io_threads = 8, .shard = options.shard, .bbox = options.bbox, .store = &store},
      options.stop);
  if (!options.only.empty()) keep_only(plan.catalog, options.only);
  if (options.bbox && options.shard.count == 1 && plan.catalog.jobs.empty() && plan.catalog.failed.empty()) {
    throw ConfigError("the box touches none of the " + std::to_string(plan.catalog.tiles.size()) +
                      " input tiles; tuile info shows their bounds");
  }
  for (std::size_t j = 0; j < plan.catalog.jobs.size(); ++j) {
    PlannedTile tile = plan_tile(plan, j, options, context.backend);
    if (options.writes_files() && !options.overwrite && write::is_done(tile.output + ".json", tile.key)) {
      plan.skipped.push_back(j);
    } else {
      plan.tiles.push_back(std::move(tile));
    }
  }
  return plan;
}

}  // namespace tuile::pipeline
