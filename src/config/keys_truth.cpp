// The keys of ground truth: where labels come from, how the service is asked, what is kept.

#include "config/key_types.hpp"
#include "config/service_keys.hpp"
#include "config/truth_layers.hpp"

namespace tuile::config {

namespace {

Key source_key() {
  Key key =
      make_key({"ground_truth.source", "", true,
                "Where labels come from: `none`, a WFS (`wfs`), or vector files (a GeoPackage, FlatGeobuf, GeoJSON or Shapefile with the "
                "layers' names, "
                "or a folder of `<layer>.<ext>`).",
                "A file is the faster and surer one for real work; a WFS is asked for each layer and cell of `ground_truth.cache.cell`."},
               "none, wfs or a path", "bdtopo.gpkg");
  key.read = [](Config& config, const Cell& cell) { config.ground_truth.source = read_text(cell); };
  key.show = [](const Config& config) { return format_text(config.ground_truth.source); };
  return key;
}

Key sort_key() {
  Key key = make_key({"ground_truth.wfs.sort_by", "", false,
                      "Attribute that pages are sorted by and features told apart with; empty: the service cannot sort, so boxes are split "
                      "instead.",
                      "Splitting makes more requests."},
                     "a text, or \"\"", "cleabs");
  key.read = [](Config& config, const Cell& cell) {
    if (cell.value.kind != Value::Kind::scalar) refuse(cell);
    config.ground_truth.wfs.sort_by = cell.value.text;
  };
  key.show = [](const Config& config) { return format_text(config.ground_truth.wfs.sort_by); };
  return key;
}

Key disk_key() {
  Key key = make_key({"ground_truth.cache.disk", "", false,
                      "Folder that the service's answers are kept in, for later runs and other processes; `~` is the home folder; null: "
                      "nowhere. Processes "
                      "that name the same folder also share the service's rate limit.",
                      "At most `ground_truth.cache.disk_size` of disk."},
                     "null or a path", "~/.cache/tuile");
  key.read = [](Config& config, const Cell& cell) {
    config.ground_truth.cache.disk.reset();
    if (cell.value.kind != Value::Kind::null) config.ground_truth.cache.disk = read_text(cell);
  };
  key.show = [](const Config& config) {
    return config.ground_truth.cache.disk ? format_text(*config.ground_truth.cache.disk) : std::string("null");
  };
  return key;
}

Key layers_key() {
  Key key = make_key({"ground_truth.layers", "", true,
                      "The layers, high priority first: `default` (BD TOPO) or a list of {layer, only, buffer, class and where or classes, "
                      "attributes}; see below.",
                      "Each layer is fetched for each cell, and its areas searched for each point."},
                     "default or a list of layers", "[{layer: batiment, class: 6, where: h >= 0.2}]");
  key.read = [](Config& config, const Cell& cell) { config.ground_truth.layers = read_layers(cell); };
  key.show = [](const Config& config) { return show_layers(config.ground_truth.layers); };
  return key;
}

}  // namespace

std::vector<Key> ground_truth_keys() {
  const auto service = [](auto& c) -> auto& { return c.ground_truth.wfs.service; };
  std::vector<Key> keys{source_key(), url_key(
                                          "ground_truth.wfs", "the WFS", [](auto& c) -> auto& { return c.ground_truth.wfs.url; })};
  keys.push_back(text_key(
      {"ground_truth.wfs.prefix", "", true, "Put before the names of layers that have no colon: the service's type names.", ""},
      "BDTOPO_V3:", [](auto& c) -> auto& { return c.ground_truth.wfs.prefix; }));
  keys.push_back(integer_key(
      {"ground_truth.wfs.page_size", "features", false, "Features of one request; data.geopf.fr gives 5000 at most.", ""}, 1, 1000000,
      "5000", [](auto& c) -> auto& { return c.ground_truth.wfs.page_size; }));
  keys.push_back(sort_key());
  for (Key& key : service_keys("ground_truth.wfs", service)) keys.push_back(std::move(key));
  keys.push_back(size_key(
      {"ground_truth.cache.memory", "bytes", false,
       "Areas kept in memory, for all tiles of the process; the least recently used leave first.", "This memory, besides `memory.budget`."},
      0, "a size (500MiB, 1GiB, plain bytes)", "500MiB", [](auto& c) -> auto& { return c.ground_truth.cache.memory; }));
  keys.push_back(disk_key());
  keys.push_back(size_key(
      {"ground_truth.cache.disk_size", "bytes", false, "Bound of that folder; the least recently used answers leave first.", ""},
      std::uint64_t{1} << 20, "a size of 1MiB or more", "10GiB", [](auto& c) -> auto& { return c.ground_truth.cache.disk_size; }));
  keys.push_back(real_key(
      {"ground_truth.cache.max_age_days", "days", false, "Answers on disk that are older are fetched anew.", ""}, Lower::open, 0, 36500,
      "90", [](auto& c) -> auto& { return c.ground_truth.cache.max_age_days; }));
  keys.push_back(real_key(
      {"ground_truth.cache.cell", "m", false, "Side of the grid that the service is asked on: tiles in one cell share an answer.",
       "Large cells: fewer requests, more of what lies outside the tiles."},
      Lower::closed, 10, 100000, "2000", [](auto& c) -> auto& { return c.ground_truth.cache.cell; }));
  keys.push_back(word_key<OnFailure>(
      {"ground_truth.on_failure", "", true,
       "What happens to a tile one of whose layers could not be fetched or was cut: `fail_tile` fails it, `unlabelled` writes "
       "it without labels and says so. Either way the next run tries again where that can help.",
       ""},
      {{"fail_tile", OnFailure::fail_tile}, {"unlabelled", OnFailure::unlabelled}},
      [](auto& c) -> auto& { return c.ground_truth.on_failure; }));
  keys.push_back(layers_key());
  return keys;
}

}  // namespace tuile::config
