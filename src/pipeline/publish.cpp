#include "pipeline/publish.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "tuile/core/version.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/source/byte_source.hpp"
#include "tuile/write/laz_sink.hpp"
#include "tuile/write/npz_sink.hpp"
#include "tuile/write/statistics.hpp"
#include "tuile/write/tile_writer.hpp"

namespace fs = std::filesystem;

namespace tuile::pipeline {

namespace {

write::LazSinkOptions laz_options(const PlannedTile& planned, const catalog::TileEntry& tile, const ComputedTile& computed,
                                  const RunPlan& plan) {
  write::LazSinkOptions options;
  const std::vector<std::string>& names = computed.output.features.names;
  for (const features::Column& column : plan.features.columns) {
    const auto at = std::find(names.begin(), names.end(), column.name);
    const features::FeatureInfo& info = features::info(column.feature);
    if (at == names.end() || info.las_dimension) continue;
    options.columns.push_back({static_cast<std::size_t>(at - names.begin()), column.name, std::string(info.description)});
  }
  options.original = las::read_info(*source::open_file(tile.path));
  options.read_original = [path = tile.path] { return source::read_all(*source::open_file(path)); };
  if (planned.task.tile.bbox) {
    const Buffer<std::uint32_t>& rows = computed.input->core->rows;
    options.rows.emplace(rows.begin(), rows.end());
  }
  return options;
}

/// A 16-bit colour that never passes 255 is most likely an 8-bit one.
bool colours_look_8_bit(const PointBlock& block, const features::FeaturePlan& plan) {
  if (plan.color_depth == 8 || !plan.fields().has(Field::rgb) || !block.has_rgb()) return false;
  std::uint16_t top = 0;
  for (const Buffer<std::uint16_t>* channel : {&block.red, &block.green, &block.blue})
    top = std::max(top, *std::max_element(channel->begin(), channel->end()));
  return top > 0 && top <= 255;
}

std::vector<std::string> warnings_of(const catalog::TileEntry& tile, const ComputedTile& computed, const RunPlan& plan,
                                     const config::Config& config) {
  std::vector<std::string> warnings = tile.warnings;
  for (const std::string& warning : computed.input->tile->warnings) {
    if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) warnings.push_back(warning);
  }
  if (tile.points == 0) warnings.emplace_back("the tile holds no points");
  if (colours_look_8_bit(*computed.input->core, plan.features)) {
    warnings.emplace_back("no colour value exceeds 255: the colours are probably 8-bit; set features.color_depth: 8");
  }
  for (const features::Neighbourhood& scale : plan.features.scales) {
    if (plan.features.needs_neighbours() && scale.radius > config.halo) {
      warnings.push_back("the radius of " + std::to_string(scale.radius) + " m is wider than the halo of " + std::to_string(config.halo) +
                         " m: border points lack neighbours; set halo: to the radius at least");
    }
  }
  return warnings;
}

write::Sidecar sidecar_of(const PlannedTile& planned, const ComputedTile& computed, const RunPlan& plan, const config::Config& config,
                          Executor& executor) {
  const catalog::TileEntry& tile = plan.catalog.tiles[plan.catalog.jobs[planned.job].tile];
  const PointBlock& core = *computed.input->core;
  write::Sidecar sidecar;
  sidecar.version = version();
  sidecar.config_hash = plan.config_hash;
  sidecar.backend = planned.key.backend;
  sidecar.device = planned.key.backend;  // the CPU's instruction set changes no bit, so it is not named
  sidecar.input = planned.key.input;
  sidecar.input_points = tile.points;
  sidecar.input_bounds = tile.bounds;
  sidecar.crs_epsg = tile.epsg;
  sidecar.crs_name = tile.crs_name;
  sidecar.halo_width = config.halo;
  for (std::size_t h = 0; h < planned.key.halo.size(); ++h) {
    if (!computed.halo_errors[h]) {
      sidecar.halo_used.push_back(planned.key.halo[h]);
    } else {
      sidecar.halo_missing.push_back(
          {.file = planned.key.halo[h], .reason = computed.halo_errors[h]->message, .kind = to_string(computed.halo_errors[h]->kind)});
    }
  }
  sidecar.grid_scale = core.grid.scale;
  sidecar.rounded = computed.input->rounded;
  sidecar.rows = core.size();
  const auto& valid = computed.output.valid;
  sidecar.invalid_points = static_cast<std::uint64_t>(std::count(valid.begin(), valid.end(), std::uint8_t{0}));
  sidecar.valid_points = core.size() - sidecar.invalid_points;
  sidecar.degenerate_neighbourhoods = computed.output.degenerate_neighbourhoods;
  sidecar.truncated_neighbourhoods = computed.output.truncated_neighbourhoods;
  sidecar.features = write::compute_statistics(computed.output.features, executor);
  sidecar.missing_columns = computed.output.missing_columns;
  sidecar.warnings = warnings_of(tile, computed, plan, config);
  return sidecar;
}

}  // namespace

void settle_missing(compute::TileOutput& output, config::Missing missing) {
  if (missing == config::Missing::nan || output.missing_columns.empty()) return;
  if (missing == config::Missing::error) {
    std::string names;
    for (const std::string& name : output.missing_columns) names += (names.empty() ? "" : ", ") + name;
    throw InvalidArgument("the tile lacks the input of " + names +
                          " and features.missing is 'error'; use nan or drop, or leave the columns out");
  }
  const FeatureBlock& all = output.features;
  std::vector<std::size_t> kept;
  FeatureBlock out;
  for (std::size_t c = 0; c < all.columns(); ++c) {
    if (std::find(output.missing_columns.begin(), output.missing_columns.end(), all.names[c]) != output.missing_columns.end()) continue;
    kept.push_back(c);
    out.names.push_back(all.names[c]);
  }
  out.points = all.points;
  out.values = Buffer<float>(all.points * kept.size());
  for (std::size_t i = 0; i < all.points; ++i) {
    for (std::size_t c = 0; c < kept.size(); ++c) out.values[i * kept.size() + c] = all.at(i, kept[c]);
  }
  output.features = std::move(out);
}

void publish(const PlannedTile& planned, const ComputedTile& computed, const RunPlan& plan, const config::Config& config,
             Executor& executor) {
  const catalog::TileEntry& tile = plan.catalog.tiles[plan.catalog.jobs[planned.job].tile];
  const PointBlock& core = *computed.input->core;
  const compute::TileOutput& output = computed.output;
  if (!(write::identify(tile.path) == planned.key.input)) {
    throw CorruptData(tile.path + ": the file changed while it was processed; run the same command again");
  }
  write::TileLayout layout;
  layout.points = core.size();
  layout.grid = core.grid;
  layout.feature_names = output.features.names;
  layout.valid = !config.preprocess.exclude_classes.empty();

  fs::create_directories(fs::path(planned.output).parent_path());
  std::vector<std::unique_ptr<write::Sink>> sinks;
  if (config.write.npz_wanted) {
    const auto compression =
        config.write.npz.compression == config::NpzCompression::deflate ? write::Compression::deflate : write::Compression::none;
    sinks.push_back(write::make_npz_sink(planned.output + ".npz", layout, compression, executor));
  }
  if (config.write.laz_wanted)
    sinks.push_back(write::make_laz_sink(planned.output + ".laz", layout, laz_options(planned, tile, computed, plan), &executor));
  write::TileWriter writer(planned.output + ".json", std::move(sinks));
  if (core.size() > 0) {
    writer.write({.first_row = 0,
                  .units = core.units.span(),
                  .classification = core.classification.span(),
                  .features = output.features.values.span(),
                  .valid = output.valid.span()});
  }
  writer.finish(sidecar_of(planned, computed, plan, config, executor));
}

}  // namespace tuile::pipeline
