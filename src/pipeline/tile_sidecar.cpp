#include "pipeline/tile_sidecar.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "tuile/core/version.hpp"
#include "write/statistics.hpp"

namespace tuile::pipeline {

namespace {

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

write::GroundTruthReport truth_report(const TileLabels& labels, const truth::FeatureSource& source) {
  write::GroundTruthReport report;
  report.remote = source.is_remote();
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
  report.remote = imagery.is_remote();
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

}  // namespace

write::Sidecar sidecar_of(const PlannedTile& planned, const ComputedTile& computed, RunSetup& setup) {
  const RunPlan& plan = setup.plan;
  const config::Config& config = setup.config();
  const catalog::TileEntry& tile = setup.tile_of(planned);
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
  sidecar.features = write::compute_statistics(computed.output.features, setup.executor);
  sidecar.missing_columns = computed.output.missing_columns;
  if (computed.labels) sidecar.ground_truth = truth_report(*computed.labels, *setup.services.truth->source);
  if (setup.services.imagery) sidecar.imagery = imagery_report(computed, *setup.services.imagery->source);
  sidecar.warnings = warnings_of(tile, computed, plan, config);
  return sidecar;
}

}  // namespace tuile::pipeline
