#include "tuile/pipeline/tile_truth.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "pipeline/services.hpp"
#include "truth/vector_files.hpp"
#include "tuile/catalog/catalog.hpp"
#include "tuile/core/error.hpp"

namespace tuile::pipeline {

namespace {

/// The tile as the main job would see it.
catalog::TileEntry entry_of(const std::string& path, const config::Config& config, const std::stop_token& stop) {
  catalog::Catalog catalog = catalog::build_catalog(catalog::expand_inputs({path}, ""), {.halo = 0, .crs = config.crs.value_or(0)}, stop);
  if (!catalog.failed.empty()) throw_error(catalog.failed.front().kind, catalog.failed.front().message);
  if (catalog.tiles.size() != 1) throw InvalidArgument(path + ": one tile is expected, here are " + std::to_string(catalog.tiles.size()));
  catalog::TileEntry tile = std::move(catalog.tiles.front());
  if (tile.epsg == 0)
    throw InvalidArgument(path + ": neither the file nor its name tells the coordinate reference system; name it with --set crs=2154");
  if (tile.bounds.empty()) throw InvalidArgument(path + ": the tile holds no points, so it lies nowhere");
  return tile;
}

}  // namespace

TileTruth write_tile_truth(const config::Config& config, const std::string& path, const std::string& output,
                           const std::function<void(const std::string&)>& log, std::stop_token stop) {
  for (const std::string& input : {path, config.ground_truth.source}) {
    std::error_code error;
    if (std::filesystem::equivalent(output, input, error) && !error)
      throw ConfigError("the output " + output + " is an input, and would be overwritten; choose another with -o");
  }
  const catalog::TileEntry tile = entry_of(path, config, stop);
  const std::unique_ptr<TruthService> service = make_truth_service(config.ground_truth, log);
  TileTruth truth{service->source->name(), service->source->edition(stop), tile.bounds, tile.epsg, {}};
  std::vector<truth::VectorLayer> layers;
  for (std::size_t l = 0; l < service->store->layers().size(); ++l) {
    const std::string& name = service->store->layers()[l].name;
    // A layer may be labelled from more than once, by other features of it.
    if (std::any_of(truth.layers.begin(), truth.layers.end(), [&](const TileTruth::Layer& layer) { return layer.name == name; })) continue;
    truth::FetchResult result = service->store->features(l, tile.bounds, tile.epsg, stop);
    truth.layers.push_back({name, result.outcome, result.features.size(), is_sound(result.outcome) ? "" : result.reason});
    if (is_sound(result.outcome)) layers.push_back({name, "", std::move(result.features)});
  }
  if (layers.empty()) throw IoError("none of the layers could be had: " + truth.layers.front().name + ": " + truth.layers.front().reason);
  truth::write_geopackage(output, layers, tile.epsg);
  return truth;
}

}  // namespace tuile::pipeline
