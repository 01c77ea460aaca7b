#include "pipeline/publish.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "tuile/core/version.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/source/store.hpp"
#include "tuile/write/laz_sink.hpp"
#include "tuile/write/npz_sink.hpp"
#include "tuile/write/statistics.hpp"
#include "tuile/write/tile_writer.hpp"

namespace fs = std::filesystem;

namespace tuile::pipeline {

namespace {

write::LazSinkOptions laz_options(const PlannedTile& planned, const catalog::TileEntry& tile, const ComputedTile& computed,
                                  const RunPlan& plan, const config::Config& config, source::Store& store, const std::stop_token& stop) {
  write::LazSinkOptions options;
  options.labels =
      config.write.laz.labels == config::LazLabels::classification ? write::LazLabels::classification : write::LazLabels::extra_bytes;
  if (computed.input->tile->colours) {
    const PointBlock& core = *computed.input->core;
    if (core.has_rgb()) options.colours = {core.red.span(), core.green.span(), core.blue.span(), {}};
    if (core.has_nir()) options.colours.nir = core.nir.span();
  }
  const std::vector<std::string>& names = computed.output.features.names;
  for (const features::Column& column : plan.features.columns) {
    const auto at = std::find(names.begin(), names.end(), column.name);
    const features::FeatureInfo& info = features::info(column.feature);
    if (at == names.end() || info.las_dimension) continue;
    options.columns.push_back({static_cast<std::size_t>(at - names.begin()), column.name, std::string(info.description)});
  }
  options.original = las::read_info(*store.open(tile.path, stop));
  options.read_original = [&store, path = tile.path, stop] { return source::read_all(*store.open(path, stop)); };
  if (planned.task.tile.bbox) {
    const Buffer<std::uint32_t>& rows = computed.input->core->rows;
    options.rows.emplace(rows.begin(), rows.end());
  }
  return options;
}

bool is_output(const RunPlan& plan, const std::string& name) {
  const auto& columns = plan.features.columns;
  return std::any_of(columns.begin(), columns.end(), [&](const features::Column& column) { return column.name == name; });
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
  const std::optional<prefetch::ColourReport>& colours = computed.input->tile->colours;
  if (colours && (colours->rgb == Outcome::failed || colours->nir == Outcome::failed)) {
    warnings.push_back("colours could not be had: " + colours->reason);
  }
  if (!colours && colours_look_8_bit(*computed.input->core, plan.features)) {
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

/// Points per value.
std::array<std::uint64_t, 256> histogram(const Buffer<std::uint8_t>& values) {
  std::array<std::uint64_t, 256> counts{};
  for (const std::uint8_t value : values) ++counts[value];
  return counts;
}

write::GroundTruthReport truth_report(const TileLabels& labels) {
  write::GroundTruthReport report;
  report.source = labels.truth->source;
  report.edition = labels.truth->edition;
  report.labelled = labels.labelled;
  const auto by_source = histogram(labels.block.source), by_class = histogram(labels.block.labels);
  for (std::size_t l = 0; l < labels.truth->layers.size(); ++l) {
    const LayerTruth& layer = labels.truth->layers[l];
    report.layers.push_back({.layer = layer.layer,
                             .outcome = layer.outcome,
                             .objects = layer.areas.size(),
                             .repaired = layer.repaired,
                             .points = by_source[l + 1],
                             .reason = is_sound(layer.outcome) ? "" : layer.reason,
                             .kind = is_sound(layer.outcome) ? "" : to_string(layer.kind)});
  }
  report.from_file = by_source[LabelBlock::from_file];
  report.from_ndvi = by_source[LabelBlock::from_ndvi];
  for (std::size_t c = 0; c < by_class.size(); ++c) {
    if (by_class[c] > 0) report.classes.emplace_back(static_cast<int>(c), by_class[c]);
  }
  return report;
}

write::ImageryReport imagery_report(const ComputedTile& computed, const imagery::ImagerySource& imagery) {
  write::ImageryReport report;
  report.source = imagery.name();
  const std::optional<prefetch::ColourReport>& colours = computed.input->tile->colours;
  if (!colours) return report;
  report.rgb = colours->rgb;
  report.nir = colours->nir;
  for (const std::uint8_t known : computed.input->core->colour_known) {
    report.rgb_unknown += report.rgb == Outcome::data && (known & 1U) == 0 ? 1 : 0;
    report.nir_unknown += report.nir == Outcome::data && (known & 2U) == 0 ? 1 : 0;
  }
  if (report.rgb == Outcome::failed || report.nir == Outcome::failed) {
    report.reason = colours->reason;
    report.kind = to_string(colours->kind);
  }
  return report;
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
  if (plan.preprocess.active()) {
    const compute::TileOutput::Removed& removed = computed.output.removed;
    sidecar.preprocess = {.exclude_classes = removed.classes,
                          .statistical_outliers = removed.statistical,
                          .radius_outliers = removed.radius,
                          .voxel = removed.voxel};
  }
  sidecar.features = write::compute_statistics(computed.output.features, executor);
  sidecar.missing_columns = computed.output.missing_columns;
  if (computed.labels) sidecar.ground_truth = truth_report(*computed.labels);
  sidecar.warnings = warnings_of(tile, computed, plan, config);
  return sidecar;
}

}  // namespace

void refuse_missing(const compute::TileOutput& output, const RunPlan& plan, config::Missing missing) {
  if (missing != config::Missing::error) return;
  std::string names;
  for (const std::string& name : output.missing_columns) {
    if (is_output(plan, name)) names += (names.empty() ? "" : ", ") + name;
  }
  if (names.empty()) return;
  throw InvalidArgument("the tile lacks the input of " + names +
                        " and features.missing is 'error'; use nan or drop, or leave the columns out");
}

void settle_columns(compute::TileOutput& output, const RunPlan& plan, config::Missing missing) {
  std::erase_if(output.missing_columns, [&](const std::string& name) { return !is_output(plan, name); });
  const auto& lacking = output.missing_columns;
  output.features.keep_columns([&](std::size_t c) {
    const bool is_asked_for = c < plan.features.columns.size();  // those that only labelling needs come after
    return is_asked_for &&
           !(missing == config::Missing::drop && std::find(lacking.begin(), lacking.end(), output.features.names[c]) != lacking.end());
  });
}

void publish(const PlannedTile& planned, const ComputedTile& computed, const RunPlan& plan, const config::Config& config,
             const imagery::ImagerySource* imagery, source::Store& store, Executor& executor, std::stop_token stop) {
  const catalog::TileEntry& tile = plan.catalog.tiles[plan.catalog.jobs[planned.job].tile];
  const PointBlock& core = *computed.input->core;
  const compute::TileOutput& output = computed.output;
  // What came from a server was held to one version while it was read, as far as the server names versions (ETag, date, size).
  if (!source::is_url(tile.path) && !(write::identify(tile.path) == planned.key.input)) {
    throw CorruptData(tile.path + ": the file changed while it was processed; run the same command again");
  }
  write::TileLayout layout;
  layout.points = core.size();
  layout.grid = core.grid;
  layout.feature_names = output.features.names;
  layout.valid = plan.preprocess.active();
  const bool is_labelled = computed.labels && computed.labels->labelled;
  if (is_labelled) {
    layout.labels = true;
    layout.objects = computed.labels->objects;
  }

  fs::create_directories(fs::path(planned.output).parent_path());
  std::vector<std::unique_ptr<write::Sink>> sinks;
  if (config.write.npz_wanted) {
    const auto compression =
        config.write.npz.compression == config::NpzCompression::deflate ? write::Compression::deflate : write::Compression::none;
    sinks.push_back(write::make_npz_sink(planned.output + ".npz", layout, compression, executor));
  }
  if (config.write.laz_wanted)
    sinks.push_back(
        write::make_laz_sink(planned.output + ".laz", layout, laz_options(planned, tile, computed, plan, config, store, stop), &executor));
  write::TileWriter writer(planned.output + ".json", std::move(sinks));
  if (core.size() > 0) {
    write::RowBlock rows{.first_row = 0,
                         .units = core.units.span(),
                         .classification = core.classification.span(),
                         .features = output.features.values.span(),
                         .valid = output.valid.span()};
    if (is_labelled) {
      const LabelBlock& block = computed.labels->block;
      rows.labels = block.labels.span();
      rows.label_source = block.source.span();
      rows.label_object = block.object.span();
    }
    writer.write(rows);
  }
  write::Sidecar sidecar = sidecar_of(planned, computed, plan, config, executor);
  if (imagery != nullptr) sidecar.imagery = imagery_report(computed, *imagery);
  writer.finish(std::move(sidecar));
}

}  // namespace tuile::pipeline
