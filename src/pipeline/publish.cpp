#include "pipeline/publish.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/tile_sidecar.hpp"
#include "tuile/core/file/atomic_file.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/source/store.hpp"
#include "write/formats.hpp"
#include "write/tile_writer.hpp"

namespace fs = std::filesystem;

namespace tuile::pipeline {

namespace {

write::FormatOptions format_options(const config::Write& config) {
  return {
      .npz_compression = config.npz.compression == config::NpzCompression::deflate ? write::Compression::deflate : write::Compression::none,
      .laz_labels =
          config.laz.labels == config::LazLabels::classification ? write::LazLabels::classification : write::LazLabels::extra_bytes};
}

/// The output columns that a LAS record does not hold already.
std::vector<write::LazColumn> added_columns(const ComputedTile& computed, const RunPlan& plan) {
  std::vector<write::LazColumn> added;
  const std::vector<std::string>& names = computed.output.features.names;
  for (const features::Column& column : plan.features.columns) {
    const auto at = std::find(names.begin(), names.end(), column.name);
    const features::FeatureInfo& info = features::info(column.feature);
    if (at == names.end() || info.las_dimension) continue;
    added.push_back({static_cast<std::size_t>(at - names.begin()), column.name, std::string(info.description)});
  }
  return added;
}

write::RepeatedTile repeated_tile(const PlannedTile& planned, const ComputedTile& computed, const RunSetup& setup) {
  const PointBlock& core = *computed.input->core;
  source::Store& store = *setup.services.store;
  const std::string& path = setup.tile_of(planned).path;
  const std::stop_token& stop = setup.options.stop;
  write::RepeatedTile tile;
  if (computed.input->tile->colours) {
    if (core.has_rgb()) tile.colours = {core.red.span(), core.green.span(), core.blue.span(), {}};
    if (core.has_nir()) tile.colours.nir = core.nir.span();
  }
  tile.columns = added_columns(computed, setup.plan);
  tile.read_info = [&store, path, stop] { return las::read_info(*store.open(path, stop)); };
  tile.read_bytes = [&store, path, stop] { return source::read_all(*store.open(path, stop)); };
  if (planned.task.tile.bbox) tile.rows = core.rows.span();
  return tile;
}

write::TileLayout layout_of(const ComputedTile& computed, const RunPlan& plan) {
  write::TileLayout layout;
  layout.points = computed.input->core->size();
  layout.grid = computed.input->core->grid;
  layout.feature_names = computed.output.features.names;
  layout.valid = plan.preprocess.active();
  if (computed.labels && computed.labels->labelled) {
    layout.labels = true;
    layout.objects = computed.labels->objects;
  }
  return layout;
}

write::RowBlock rows_of(const ComputedTile& computed) {
  const PointBlock& core = *computed.input->core;
  write::RowBlock rows{.first_row = 0,
                       .units = core.units.span(),
                       .classification = core.classification.span(),
                       .features = computed.output.features.values.span(),
                       .valid = computed.output.valid.span()};
  if (computed.labels && computed.labels->labelled) {
    const LabelBlock& block = computed.labels->block;
    rows.labels = block.labels.span();
    rows.label_source = block.source.span();
    rows.label_object = block.object.span();
  }
  return rows;
}

}  // namespace

void publish(const PlannedTile& planned, const ComputedTile& computed, RunSetup& setup) {
  const std::string& input = setup.tile_of(planned).path;
  // What came from a server was held to one version while it was read, as far as the server names versions (ETag, date, size).
  if (!source::is_url(input) && !(write::identify(input) == planned.key.input)) {
    throw CorruptData(input + ": the file changed while it was processed; run the same command again");
  }
  const write::TileLayout layout = layout_of(computed, setup.plan);
  const write::FormatOptions options = format_options(setup.config().write);
  const write::RepeatedTile tile = repeated_tile(planned, computed, setup);
  create_folders(fs::path(planned.output).parent_path());
  std::vector<std::unique_ptr<write::Sink>> sinks;
  for (const OutputFormat* format : output_formats_of(setup.config().write.formats)) {
    sinks.push_back(
        write::format_of(*format).make_sink({planned.output + std::string(format->extension), layout, options, tile, setup.executor}));
  }
  write::TileWriter writer(planned.output + ".json", std::move(sinks));
  if (layout.points > 0) writer.write(rows_of(computed));
  writer.finish(sidecar_of(planned, computed, setup));
}

}  // namespace tuile::pipeline
