// What every key takes, where values come from, and which of them the hash sees.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "tuile/config/load.hpp"
#include "tuile/core/error.hpp"

namespace tuile::config {
namespace {

/// The text of interfaces.md, "Config (YAML)", with what belongs to later versions off as it is there.
constexpr const char* design_yaml = R"(
input: []                 # as INPUT above
output: out
backend: auto             # auto | cpu | cuda
devices: auto             # cuda: list of device ids
features:
  set: lod2               # minimal | lod2 | asprs | lod3 | full | [names]
  k: 20                   # neighbours, the point itself included
  radius: null            # metres; when set: all points within it, at most max_neighbors nearest
  max_neighbors: 200
  missing: nan            # nan | drop | error: a column whose input the tile lacks
  scales: []              # further neighbourhoods, e.g. [{k: 50}, {radius: 2}]
  color_depth: 16         # 16 | 8
halo: 10.0                # metres
crs: auto                 # EPSG code where the files say nothing or something wrong
threads: auto
preprocess:               # in this order
  exclude_classes: [65, 66]
  statistical_outliers: {enabled: false, k: 12, std: 2.0}
  radius_outliers: {enabled: false, radius: 1.0, min_neighbors: 4}
  voxel: {enabled: false, size: 0.5}
ground_truth:
  source: none
  wfs:
    url: https://data.geopf.fr/wfs/ows
    page_size: 5000
    requests_per_second: 20      # the service allows 30 per address
    max_in_flight: 4
    timeout: 60
    retries: 5
  cache: {memory: 500MiB, disk: ~/.cache/tuile, max_age_days: 90}
  on_failure: fail_tile          # fail_tile | unlabelled : what happens to a tile whose layer could not be fetched
  layers: default                # or a list as below
imagery: {source: tile}            # tile | none | wms | [GeoTIFF paths]
prefetch: {workers: auto, ahead: auto, cache_tiles: auto, retries: 2, timeout: 300}
memory: {budget: auto}
batch: {size: auto}
write:
  formats: [npz]
  npz: {compression: none}         # none | deflate
  laz: {features: extra_bytes, labels: extra_bytes}   # labels: extra_bytes | classification
  patches: {enabled: false, size: 50, overlap: 0.1, points: 16384, seed: 0}
report: null
trace: null
)";

/// effective_yaml without its comments.
std::string values_of(const Config& config) {
  std::istringstream lines(effective_yaml(config));
  std::string out, line;
  while (std::getline(lines, line)) {
    line = line.substr(0, line.find("  #"));
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

Config set(const std::string& assignment) { return load_config({.preset = {}, .file = {}, .set = {assignment}, .flags = {}}); }

TEST(Defaults, AreTheDesigns) {
  const Config config = parse_config(design_yaml);
  EXPECT_EQ(values_of(config), values_of(Config{}));
  EXPECT_EQ(config.origins.size(), 54U) << "a key of the design is missing";
}

TEST(Defaults, LayersAreTheTableOfTheDesign) {
  const std::vector<TruthLayer>& layers = default_layers();
  std::vector<std::string> names;
  std::vector<int> classes;
  for (const TruthLayer& layer : layers) {
    names.push_back(layer.layer);
    for (const LabelRule& rule : layer.rules) classes.push_back(rule.asprs_class);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"batiment", "construction_surfacique", "troncon_de_voie_ferree", "troncon_de_route",
                                             "surface_hydrographique", "zone_de_vegetation", "terrain_de_sport", "cimetiere",
                                             "ligne_electrique"}));
  EXPECT_EQ(classes, (std::vector<int>{6, 17, 10, 11, 9, 3, 4, 5, 70, 71, 14}));
  EXPECT_EQ(layers[0].rules[0].where, "h >= 0.2 or verticality >= 0.45");
  EXPECT_TRUE(layers[2].buffer && layers[2].buffer->flat_caps);
  EXPECT_EQ(layers[3].buffer->by_value.at("Route à 1 chaussée"), 2.5);
  EXPECT_EQ(layers[8].buffer->plus, 3);
  // Written out, the list is the same list.
  const Config again = parse_config("ground_truth:\n  layers:\n  - {layer: a, class: 1}\n");
  EXPECT_NE(again.ground_truth.layers, layers);
}

TEST(Defaults, OfEmptyTextsAndSections) {
  for (const char* yaml :
       {"", "\n\n", "# only a comment\n", "---\n", "{}", "null", "features:\nwrite:\n  npz:\n", "\xEF\xBB\xBF# with a byte order mark\n"}) {
    EXPECT_EQ(effective_yaml(parse_config(yaml)), effective_yaml(Config{})) << yaml;
  }
}

struct Case {
  const char* key;
  const char* value;  ///< not the default
  bool changes_bytes;
  std::function<bool(const Config&)> holds;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> table{
      {"input", "[a.laz, 'b, c']", false,
       [](const Config& c) {
         return c.input == std::vector<std::string>{"a.laz", "b, c"};
       }},
      {"output", "some/where", false, [](const Config& c) { return c.output == "some/where"; }},
      {"backend", "cuda", false, [](const Config& c) { return c.backend == "cuda"; }},
      {"devices", "[1, 0]", false,
       [](const Config& c) {
         return c.devices == std::vector<int>{1, 0};
       }},
      {"features.set", "asprs", true, [](const Config& c) { return c.features.set == "asprs" && c.features.names.empty(); }},
      {"features.set", "[density, planarity]", true,
       [](const Config& c) {
         return c.features.names == std::vector<std::string>{"density", "planarity"};
       }},
      {"features.k", "3", true, [](const Config& c) { return c.features.k == 3; }},
      {"features.radius", "1.5", true, [](const Config& c) { return c.features.radius == 1.5; }},
      {"features.max_neighbors", "64", true, [](const Config& c) { return c.features.max_neighbors == 64; }},
      {"features.missing", "drop", true, [](const Config& c) { return c.features.missing == Missing::drop; }},
      {"features.missing", "error", true, [](const Config& c) { return c.features.missing == Missing::error; }},
      {"features.scales", "[{k: 50}, {radius: 2}]", true,
       [](const Config& c) {
         return c.features.scales == std::vector<Scale>{{.k = 50, .radius = std::nullopt}, {.k = std::nullopt, .radius = 2.0}};
       }},
      {"features.color_depth", "8", true, [](const Config& c) { return c.features.color_depth == 8; }},
      {"halo", "0", true, [](const Config& c) { return c.halo == 0; }},
      {"halo", "12.25", true, [](const Config& c) { return c.halo == 12.25; }},
      {"crs", "2154", true, [](const Config& c) { return c.crs == 2154; }},
      {"threads", "3", false, [](const Config& c) { return c.threads == 3; }},
      {"preprocess.exclude_classes", "[]", true, [](const Config& c) { return c.preprocess.exclude_classes.empty(); }},
      {"preprocess.exclude_classes", "[66, 7, 7]", true,
       [](const Config& c) {
         return c.preprocess.exclude_classes == std::vector<std::uint8_t>{7, 66};
       }},
      {"preprocess.statistical_outliers.enabled", "true", true, [](const Config& c) { return c.preprocess.statistical_outliers.enabled; }},
      {"preprocess.radius_outliers.enabled", "true", true, [](const Config& c) { return c.preprocess.radius_outliers.enabled; }},
      {"preprocess.voxel.enabled", "true", true, [](const Config& c) { return c.preprocess.voxel.enabled; }},
      {"preprocess.statistical_outliers.k", "8", true, [](const Config& c) { return c.preprocess.statistical_outliers.k == 8; }},
      {"preprocess.statistical_outliers.std", "2.5", true, [](const Config& c) { return c.preprocess.statistical_outliers.std == 2.5; }},
      {"preprocess.radius_outliers.radius", "0.5", true, [](const Config& c) { return c.preprocess.radius_outliers.radius == 0.5; }},
      {"preprocess.radius_outliers.min_neighbors", "2", true,
       [](const Config& c) { return c.preprocess.radius_outliers.min_neighbors == 2; }},
      {"preprocess.voxel.size", "0.25", true, [](const Config& c) { return c.preprocess.voxel.size == 0.25; }},
      {"ground_truth.source", "wfs", true, [](const Config& c) { return c.ground_truth.source == "wfs"; }},
      {"ground_truth.source", "town/bdtopo.gpkg", true, [](const Config& c) { return c.ground_truth.source == "town/bdtopo.gpkg"; }},
      {"ground_truth.wfs.url", "http://127.0.0.1:80/?map=a", true,
       [](const Config& c) { return c.ground_truth.wfs.url == "http://127.0.0.1:80/?map=a"; }},
      {"ground_truth.wfs.prefix", "'ms:'", true, [](const Config& c) { return c.ground_truth.wfs.prefix == "ms:"; }},
      {"ground_truth.wfs.page_size", "50", false, [](const Config& c) { return c.ground_truth.wfs.page_size == 50; }},
      {"ground_truth.wfs.sort_by", "''", false, [](const Config& c) { return c.ground_truth.wfs.sort_by.empty(); }},
      {"ground_truth.wfs.requests_per_second", "30", false,
       [](const Config& c) { return c.ground_truth.wfs.service.requests_per_second == 30; }},
      {"ground_truth.wfs.max_in_flight", "1", false, [](const Config& c) { return c.ground_truth.wfs.service.max_in_flight == 1; }},
      {"ground_truth.wfs.timeout", "2.5", false, [](const Config& c) { return c.ground_truth.wfs.service.timeout == 2.5; }},
      {"ground_truth.wfs.retries", "0", false, [](const Config& c) { return c.ground_truth.wfs.service.retries == 0; }},
      {"ground_truth.cache.memory", "1GiB", false, [](const Config& c) { return c.ground_truth.cache.memory == 1ULL << 30; }},
      {"ground_truth.cache.disk", "null", false, [](const Config& c) { return !c.ground_truth.cache.disk; }},
      {"ground_truth.cache.disk", "cache", false, [](const Config& c) { return c.ground_truth.cache.disk == "cache"; }},
      {"ground_truth.cache.disk_size", "1MiB", false, [](const Config& c) { return c.ground_truth.cache.disk_size == 1ULL << 20; }},
      {"ground_truth.cache.max_age_days", "0.5", false, [](const Config& c) { return c.ground_truth.cache.max_age_days == 0.5; }},
      {"ground_truth.cache.cell", "500", false, [](const Config& c) { return c.ground_truth.cache.cell == 500; }},
      {"ground_truth.on_failure", "unlabelled", true, [](const Config& c) { return c.ground_truth.on_failure == OnFailure::unlabelled; }},
      {"ground_truth.layers", "[{layer: a, class: 6}]", true,
       [](const Config& c) { return c.ground_truth.layers == std::vector<TruthLayer>{{.layer = "a", .rules = {{.asprs_class = 6}}}}; }},
      {"ground_truth.layers",
       "[{layer: 'x: y', only: {n: [a, '1'], p: {at_least: 0}, q: {at_most: 2.5, missing: drop}, r: {not_in: b}, s: {in: c, missing: "
       "keep}}, "
       "buffer: {attribute: w, factor: 0.5, by: kind, values: {'a: b': 3}, otherwise: 2, plus: 1, caps: flat}, "
       "classes: [{class: 3, where: h < 0.5}, {class: 4}], attributes: [n, p]}]",
       true,
       [](const Config& c) {
         using Kind = AttributeTest::Kind;
         return c.ground_truth.layers == std::vector<TruthLayer>{{.layer = "x: y",
                                                                  .only = {{"n", Kind::in, {"a", "1"}, 0, false},
                                                                           {"p", Kind::at_least, {}, 0, true},
                                                                           {"q", Kind::at_most, {}, 2.5, false},
                                                                           {"r", Kind::not_in, {"b"}, 0, true},
                                                                           {"s", Kind::in, {"c"}, 0, true}},
                                                                  .buffer = LineBuffer{"w", 0.5, "kind", {{"a: b", 3}}, 2, 1, true},
                                                                  .rules = {{3, "h < 0.5"}, {4, ""}},
                                                                  .attributes = {"n", "p"}}};
       }},
      {"imagery.source", "none", true, [](const Config& c) { return c.imagery.source == ImagerySource::none; }},
      {"imagery.source", "wms", true, [](const Config& c) { return c.imagery.source == ImagerySource::wms; }},
      {"imagery.source", "[a.tif, 'b, irc.tif']", true,
       [](const Config& c) {
         return c.imagery.source == ImagerySource::files && c.imagery.files == std::vector<std::string>{"a.tif", "b, irc.tif"};
       }},
      {"imagery.wms.url", "https://a.b/wms", true, [](const Config& c) { return c.imagery.wms.url == "https://a.b/wms"; }},
      {"imagery.wms.rgb_layer", "rgb", true, [](const Config& c) { return c.imagery.wms.rgb_layer == "rgb"; }},
      {"imagery.wms.irc_layer", "irc", true, [](const Config& c) { return c.imagery.wms.irc_layer == "irc"; }},
      {"imagery.wms.resolution", "0.5", true, [](const Config& c) { return c.imagery.wms.resolution == 0.5; }},
      {"imagery.wms.max_pixels", "100", false, [](const Config& c) { return c.imagery.wms.max_pixels == 100; }},
      {"imagery.wms.retries", "1", false, [](const Config& c) { return c.imagery.wms.service.retries == 1; }},
      {"prefetch.workers", "0", false, [](const Config& c) { return c.prefetch.workers == 0; }},
      {"prefetch.ahead", "7", false, [](const Config& c) { return c.prefetch.ahead == 7; }},
      {"prefetch.cache_tiles", "9", false, [](const Config& c) { return c.prefetch.cache_tiles == 9U; }},
      {"prefetch.retries", "0", false, [](const Config& c) { return c.prefetch.retries == 0; }},
      {"prefetch.timeout", "0.5", false, [](const Config& c) { return c.prefetch.timeout == 0.5; }},
      {"memory.budget", "4GiB", false, [](const Config& c) { return c.memory.budget == 4ULL << 30; }},
      {"memory.budget", "2GB", false, [](const Config& c) { return c.memory.budget == 2'000'000'000ULL; }},
      {"memory.budget", "500 MiB", false, [](const Config& c) { return c.memory.budget == 500ULL << 20; }},
      {"memory.budget", "1.5GiB", false, [](const Config& c) { return c.memory.budget == 3ULL << 29; }},
      {"memory.budget", "123456789", false, [](const Config& c) { return c.memory.budget == 123456789ULL; }},
      {"batch.size", "4", false, [](const Config& c) { return c.batch.size == 4; }},
      {"write.formats", "[laz]", true, [](const Config& c) { return c.write.formats == std::vector<std::string>{"laz"}; }},
      {"write.formats", "[laz, npz]", true,
       [](const Config& c) {
         return c.write.formats == std::vector<std::string>{"npz", "laz"};
       }},
      {"write.npz.compression", "deflate", true, [](const Config& c) { return c.write.npz.compression == NpzCompression::deflate; }},
      {"write.laz.labels", "classification", true, [](const Config& c) { return c.write.laz.labels == LazLabels::classification; }},
      {"write.patches.size", "25.5", true, [](const Config& c) { return c.write.patches.size == 25.5; }},
      {"write.patches.overlap", "0", true, [](const Config& c) { return c.write.patches.overlap == 0; }},
      {"write.patches.points", "1024", true, [](const Config& c) { return c.write.patches.points == 1024; }},
      {"write.patches.seed", "9223372036854775807", true, [](const Config& c) { return c.write.patches.seed == 9223372036854775807ULL; }},
      {"trace", "t.json", false, [](const Config& c) { return c.trace == "t.json"; }},
  };
  return table;
}

TEST(Keys, TakeTheirValues) {
  for (const Case& item : cases()) {
    const Config config = set(std::string(item.key) + "=" + item.value);
    EXPECT_TRUE(item.holds(config)) << item.key << "=" << item.value;
    EXPECT_FALSE(item.holds(Config{})) << item.key << ": the case must differ from the default";
    EXPECT_EQ(config.origins.at(item.key), "--set");
    EXPECT_EQ(config.origins.size(), 1U);
  }
}

TEST(Keys, AreShownSoThatTheyReadBack) {
  for (const Case& item : cases()) {
    const Config config = set(std::string(item.key) + "=" + item.value);
    const Config again = parse_config(effective_yaml(config), "again.yaml");
    EXPECT_TRUE(item.holds(again)) << item.key << "=" << item.value << "\n" << effective_yaml(config);
    EXPECT_EQ(values_of(again), values_of(config));
  }
}

TEST(Keys, OddTextsReadBack) {
  for (const char* text : {"null", "auto", "true", "12", "a: b", "# x", "[a", "it's \"quoted\"", "tab\there", "line\nbreak", " leading",
                           "é/ü", "-", "~", "*a", "&b", "1e5", "back\\slash"}) {
    const Config config = load_config({.preset = {}, .file = {}, .set = {}, .flags = {{"output", text}, {"input", text}, {"trace", text}}});
    EXPECT_EQ(config.output, text);
    const Config again = parse_config(effective_yaml(config));
    EXPECT_EQ(again.output, text) << effective_yaml(config);
    EXPECT_EQ(again.input, std::vector<std::string>{text});
    EXPECT_EQ(again.trace, text);
  }
}

TEST(Hash, SeesExactlyTheKeysThatChangeBytes) {
  const std::string defaults = byte_relevant_text(Config{});
  for (const Case& item : cases()) {
    const bool differs = byte_relevant_text(set(std::string(item.key) + "=" + item.value)) != defaults;
    EXPECT_EQ(differs, item.changes_bytes) << item.key;
  }
}

TEST(Hash, DoesNotDependOnOrderStyleOrOrigin) {
  const std::string a = byte_relevant_text(
      parse_config("halo: 5\nfeatures: {k: 30, radius: 1}\nwrite: {formats: [laz, npz]}\npreprocess: {exclude_classes: [66, 65, 7]}\n"));
  const std::string b =
      byte_relevant_text(parse_config("preprocess:\n  exclude_classes:\n  - 7\n  - 65\n  - 66\n  - 65\nwrite:\n  formats: ['npz', "
                                      "\"laz\"]\nfeatures:\n  radius: 1.00\n  k: 30\nthreads: 2\nhalo: 5.0"));
  const std::string c =
      byte_relevant_text(load_config({.preset = {},
                                      .file = {},
                                      .set = {"features.radius=1e0", "write.formats=laz,npz"},
                                      .flags = {{"features.k", "30"}, {"halo", "5"}, {"preprocess.exclude_classes", "65,66,7"}}}));
  EXPECT_EQ(a, b);
  EXPECT_EQ(a, c);
}

TEST(Sources, RiseInPrecedence) {
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / "tuile_config_sources.yaml";
  std::ofstream(file) << "# a comment\nfeatures:\n  k: 30\n  max_neighbors: 50\n  color_depth: 8\nhalo: 4\n";
  const Config config = load_config({.preset = "fast",
                                     .file = file.string(),
                                     .set = {"features.max_neighbors=60", "halo=3", "halo=2"},
                                     .flags = {{"halo", "1", "--halo"},
                                               {"input", "a,b.laz", "INPUT"},
                                               {"input", "c.laz", "INPUT"},
                                               {"write.formats", "npz,laz", "--formats"}}});
  std::filesystem::remove(file);
  EXPECT_EQ(config.features.set, "minimal");
  EXPECT_EQ(config.features.k, 30);
  EXPECT_EQ(config.features.max_neighbors, 60);
  EXPECT_EQ(config.features.color_depth, 8);
  EXPECT_EQ(config.halo, 1);
  EXPECT_EQ(config.input, (std::vector<std::string>{"a,b.laz", "c.laz"}));
  EXPECT_EQ(config.write.formats, (std::vector<std::string>{"npz", "laz"}));
  EXPECT_EQ(config.origins.at("features.set"), "preset fast");
  EXPECT_EQ(config.origins.at("features.k"), file.string() + ":3");
  EXPECT_EQ(config.origins.at("features.max_neighbors"), "--set");
  EXPECT_EQ(config.origins.at("features.color_depth"), file.string() + ":5");
  EXPECT_EQ(config.origins.at("halo"), "--halo");
  EXPECT_EQ(config.origins.at("input"), "INPUT");
  EXPECT_EQ(config.origins.count("threads"), 0U);
  EXPECT_NE(effective_yaml(config).find("# " + file.string() + ":5\n"), std::string::npos);
}

TEST(Sources, SetTakesSectionsAndLists) {
  const Config config = load_config(
      {.preset = {}, .file = {}, .set = {"prefetch={workers: 0, retries: 1}", "features.set=x,y,density", "devices=0,2"}, .flags = {}});
  EXPECT_EQ(config.prefetch.workers, 0);
  EXPECT_EQ(config.prefetch.retries, 1);
  EXPECT_EQ(config.features.names, (std::vector<std::string>{"x", "y", "density"}));
  EXPECT_EQ(config.devices, (std::vector<int>{0, 2}));
}

TEST(Sources, ASingleFeatureOnTheCommandLineIsAList) {
  for (const char* name : {"planarity", "x", "red", "nir", "density", "linearity", "num_points_2m"}) {
    const Config config = load_config({.preset = {}, .file = {}, .set = {}, .flags = {{"features.set", name}}});
    EXPECT_EQ(config.features.names, std::vector<std::string>{name});
  }
}

TEST(Sources, ALaterSetReplacesNamesBySet) {
  const Config config = load_config({.preset = {}, .file = {}, .set = {"features.set=[x]", "features.set=full"}, .flags = {}});
  EXPECT_TRUE(config.features.names.empty());
  EXPECT_EQ(config.features.set, "full");
}

TEST(Sources, EveryPresetLoads) {
  ASSERT_GE(presets().size(), 4U);
  for (const Preset& preset : presets()) {
    const Config config = load_config({.preset = std::string(preset.name), .file = {}, .set = {}, .flags = {}});
    EXPECT_FALSE(config.origins.empty()) << preset.name;
    EXPECT_EQ(values_of(config), values_of(parse_config(preset.yaml))) << preset.name;
  }
}

}  // namespace
}  // namespace tuile::config
