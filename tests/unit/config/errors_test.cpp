// Every mistake is a ConfigError whose message says where, what is expected and what was probably meant.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tuile/config/load.hpp"
#include "tuile/core/error.hpp"

namespace tuile::config {
namespace {

std::string message_of(const Sources& sources) {
  try {
    load_config(sources);
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    return error.what();
  }
  return "(no error)";
}
std::string message_of_yaml(const std::string& yaml) {
  try {
    parse_config(yaml, "c.yaml");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "(no error)";
}
std::string message_of_set(const std::string& text) { return message_of({.preset = {}, .file = {}, .set = {text}, .flags = {}}); }

struct Mistake {
  std::string yaml;
  std::vector<std::string> says;  ///< in this order
};

void check(const std::vector<Mistake>& mistakes) {
  for (const Mistake& mistake : mistakes) {
    const std::string message = message_of_yaml(mistake.yaml);
    std::size_t at = 0;
    for (const std::string& part : mistake.says) {
      const std::size_t found = message.find(part, at);
      EXPECT_NE(found, std::string::npos) << "'" << part << "' is not in: " << message << "\nfor: " << mistake.yaml;
      if (found != std::string::npos) at = found + part.size();
    }
  }
}

TEST(UnknownKeys, NamePlaceNearestAndAllowed) {
  check({
      {"features:\n  kk: 3\n", {"c.yaml:2:3: ", "'features.kk'", "did you mean features.k?", "allowed in features: set, k, radius"}},
      {"\n\nhallo: 3\n", {"c.yaml:3:1: ", "'hallo'", "did you mean halo?", "allowed here: input, output"}},
      {"prefetch: {wrokers: 3}\n", {"c.yaml:1:12: ", "did you mean prefetch.workers?"}},
      {"k: 3\n", {"c.yaml:1:1: ", "did you mean features.k?"}},
      {"write:\n  npz:\n    compresion: none\n",
       {"c.yaml:3:5: ", "'write.npz.compresion'", "did you mean write.npz.compression?", "allowed in write.npz: compression"}},
      {"features.k: 3\n", {"c.yaml:1:1: ", "'features.k'", "nested: features: {k: …}"}},
      {"zzzzzzzzzz: 3\n", {"'zzzzzzzzzz' (allowed here: input"}},
      {"<<: {k: 3}\n", {"c.yaml:1:1: ", "unknown key '<<'"}},
      {"'': 3\n", {"c.yaml:1:1: ", "unknown key ''"}},
      {"features: {scales: [{k: 3, r: 2}]}\n", {"c.yaml:1:21: ", "features.scales[0] is a map", "{k: …} or {radius: …}"}},
      {"features: {scales: [{n: 3}]}\n", {"'n' is not allowed here", "k, radius"}},
  });
}

TEST(UnknownKeys, OnTheCommandLine) {
  EXPECT_NE(message_of_set("features.kk=3").find("--set: unknown key 'features.kk'; did you mean features.k?"), std::string::npos);
  EXPECT_NE(message_of_set("fetures.k=3").find("did you mean features.k?"), std::string::npos);
  EXPECT_NE(message_of_set("halo.x=3").find("halo holds a value"), std::string::npos);
  EXPECT_NE(message_of_set("halo").find("key=value is expected"), std::string::npos);
  EXPECT_NE(message_of_set("=3").find("key=value is expected"), std::string::npos);
  EXPECT_NE(message_of_set("features..k=3").find("unknown key 'features.'"), std::string::npos);
  EXPECT_NE(message_of({.preset = {}, .file = {}, .set = {}, .flags = {{"features.k", "two", "--k"}}})
                .find("--k: features.k is 'two'; an integer from 3 to 4096"),
            std::string::npos);
}

TEST(Types, AreExact) {
  check({
      {"features: {k: 20.5}",
       {"c.yaml:1:15: features.k is '20.5'", "an integer from 3 to 4096 is expected", "not a whole number", "e.g. features.k: 20"}},
      {"features: {k: '20'}", {"features.k is the text '20'", "without quotes"}},
      {"features: {k: 0x14}", {"features.k is '0x14'", "an integer"}},
      {"features: {k: 020}", {"features.k is '020'", "plain digits"}},
      {"features: {k: +20}", {"features.k is '+20'"}},
      {"features: {k: 2e1}", {"features.k is '2e1'", "plain digits"}},
      {"features: {k: 99999999999999999999}", {"an integer from 3 to 4096"}},
      {"features: {k: }", {"features.k is empty (null)"}},
      {"features: {k: [20]}", {"features.k is a list"}},
      {"features: {k: {n: 20}}", {"features.k is a map"}},
      {"features: {k: auto}", {"features.k is 'auto'"}},
      {"features: [k, 20]", {"c.yaml:1:11: features is a list", "a map (set, k, radius", "features: {set: …}"}},
      {"features: lod2", {"features is 'lod2'", "a map"}},
      {"- a\n- b\n", {"c.yaml:1:1: the configuration is a list", "a map"}},
      {"hello", {"the configuration is 'hello'"}},
      {"halo: '10'", {"halo is the text '10'", "without quotes"}},
      {"halo: .inf", {"halo is '.inf'", "a number from 0 to 1000"}},
      {"halo: inf", {"halo is 'inf'"}},
      {"halo: .nan", {"halo is '.nan'"}},
      {"halo: nan", {"halo is 'nan'"}},
      {"halo: 10 m", {"halo is '10 m'"}},
      {"halo: 1e999", {"halo is '1e999'"}},
      {"write: {patches: {enabled: no}}", {"write.patches.enabled is 'no'", "true and false"}},
      {"write: {patches: {enabled: 'false'}}", {"without quotes"}},
      {"write: {patches: {enabled: 0}}", {"true and false"}},
      {"write: {formats: npz}", {"write.formats is 'npz'", "a list", "[npz]"}},
      {"write: {formats: [npz, [laz]]}", {"write.formats[1] is a list", "npz or laz"}},
      {"output: [a]", {"output is a list", "a path"}},
      {"output: ''", {"output is the text ''"}},
      {"output:", {"output is empty"}},
      {"input: [a, null]", {"input is empty", "a path"}},
      {"memory: {budget: 4 gigs}", {"memory.budget is '4 gigs'", "GiB"}},
      {"memory: {budget: 99999999999GiB}", {"memory.budget is"}},
      {"memory: {budget: -1}", {"memory.budget is '-1'"}},
      {"memory: {budget: 1.2.3GiB}", {"memory.budget is"}},
  });
}

TEST(Ranges, AreChecked) {
  check({
      {"features: {k: 2}", {"from 3 to 4096"}},
      {"features: {k: 4097}", {"from 3 to 4096"}},
      {"features: {radius: 0}", {"features.radius is '0'", "above 0"}},
      {"features: {radius: -1}", {"above 0"}},
      {"features: {max_neighbors: 2}", {"from 3"}},
      {"features: {color_depth: 12}", {"16 or 8"}},
      {"features: {color_depth: '16'}", {"16 or 8", "without quotes"}},
      {"features: {missing: zero}", {"nan, drop or error"}},
      {"features: {set: lod4}", {"minimal, lod2, asprs, lod3 or full", "nearest: lod2"}},
      {"features: {set: planarity}", {"[planarity]"}},
      {"features: {set: []}", {"the list is empty"}},
      {"features: {set: [x, x]}", {"features.set[1]", "twice"}},
      {"features: {set: [Planarity]}", {"lower-case"}},
      {"features: {scales: [{k: 2}]}", {"features.scales[0].k is '2'"}},
      {"features: {scales: [{radius: 0}]}", {"features.scales[0].radius is '0'"}},
      {"features: {scales: [{k: 50}, {k: 50}]}", {"features.scales[1]", "twice"}},
      {"halo: -0.1", {"from 0 to 1000"}},
      {"crs: 0", {"auto or an integer from 1"}},
      {"crs: EPSG:2154", {"auto or an integer from 1 to 999999", "crs: 2154"}},
      {"threads: 0", {"auto or an integer from 1"}},
      {"backend: opencl", {"auto, cpu or cuda"}},
      {"devices: [-1]", {"devices[0] is '-1'"}},
      {"devices: []", {"the list is empty"}},
      {"devices: [0, 0]", {"twice"}},
      {"preprocess: {exclude_classes: [256]}", {"preprocess.exclude_classes[0] is '256'", "0 to 255"}},
      {"prefetch: {retries: -1}", {"from 0 to 100"}},
      {"prefetch: {workers: -1}", {"from 0"}},
      {"prefetch: {timeout: 0}", {"above 0"}},
      {"prefetch: {cache_tiles: 0}", {"from 1"}},
      {"batch: {size: 0}", {"from 1"}},
      {"memory: {budget: 1MiB}", {"64MiB or more"}},
      {"write: {formats: []}", {"the list is empty"}},
      {"write: {formats: [npz, npz]}", {"write.formats[1]", "twice"}},
      {"write: {formats: [zarr]}", {"npz or laz"}},
      {"write: {npz: {compression: zip}}", {"none or deflate"}},
      {"write: {laz: {labels: user_data}}", {"extra_bytes or classification"}},
      {"write: {laz: {features: user_data}}", {"extra_bytes is expected"}},
      {"write: {patches: {overlap: 1}}", {"from 0 to 0.95"}},
      {"write: {patches: {points: 0}}", {"from 1"}},
      {"write: {patches: {seed: -1}}", {"0 or more"}},
  });
}

TEST(GroundTruth, RefusesWhatIsNoLayer) {
  check({
      {"ground_truth: {source: [a]}", {"ground_truth.source", "none, wfs or a path"}},
      {"ground_truth: {wfs: {url: ftp://a}}", {"a URL (http or https)"}},
      {"ground_truth: {wfs: {page_size: 0}}", {"from 1"}},
      {"ground_truth: {wfs: {requests_per_second: 0}}", {"above 0"}},
      {"ground_truth: {cache: {cell: 1}}", {"from 10"}},
      {"ground_truth: {on_failure: ignore}", {"fail_tile or unlabelled"}},
      {"ground_truth: {layers: bdtopo}", {"default or a list of layers"}},
      {"ground_truth: {layers: []}", {"the list is empty"}},
      {"ground_truth: {layers: [{class: 6}]}", {"layers[0]", "`layer` is missing"}},
      {"ground_truth: {layers: [{layer: a}]}", {"either `class`"}},
      {"ground_truth: {layers: [{layer: a, class: 6, classes: [{class: 3}]}]}", {"either `class`"}},
      {"ground_truth: {layers: [{layer: a, where: h > 1}]}", {"`class` is missing"}},
      {"ground_truth: {layers: [{layer: a, class: 256}]}", {"layers[0].class", "from 0 to 255"}},
      {"ground_truth: {layers: [{layer: a, clas: 6}]}", {"did you mean class?"}},
      {"ground_truth: {layers: [{layer: a, class: 6, only: {n: {at_leest: 0}}}]}", {"layers[0].only.n", "at_least"}},
      {"ground_truth: {layers: [{layer: a, class: 6, only: {n: {at_least: a}}}]}", {"layers[0].only.n.at_least", "a number"}},
      {"ground_truth: {layers: [{layer: a, class: 6, only: {n: {missing: keep}}}]}", {"one of in, not_in"}},
      {"ground_truth: {layers: [{layer: a, class: 6, only: {n: {in: a, not_in: b}}}]}", {"is enough"}},
      {"ground_truth: {layers: [{layer: a, class: 6, buffer: {attribute: w}}]}", {"give no width"}},
      {"ground_truth: {layers: [{layer: a, class: 6, buffer: {plus: -1}}]}", {"buffer.plus", "from 0 to 100"}},
      {"ground_truth: {layers: [{layer: a, class: 6, buffer: {plus: 1, caps: square}}]}", {"round or flat"}},
      {"imagery: {source: wsm}", {"imagery.source"}},
      {"imagery: {source: []}", {"the list is empty"}},
      {"imagery: {wms: {max_pixels: 1}}", {"from 16"}},
  });
}

TEST(LaterParts, AreRefusedNeverIgnored) {
  for (const char* yaml : {"write: {formats: [npz, hdf5]}", "write: {patches: {enabled: true}}", "report: r.html"}) {
    const std::string message = message_of_yaml(yaml);
    EXPECT_NE(message.find("c.yaml:1:"), std::string::npos) << message;
    EXPECT_NE(message.find("is not in this version (0.5.0); "), std::string::npos) << yaml << " gave: " << message;
  }
}

TEST(Yaml, OddFormsAreRefusedWithTheirPlace) {
  check({
      {"halo: 1\nthreads: 2\nhalo: 3\n", {"c.yaml:3:1: ", "'halo' is given twice", "line 1"}},
      {"features: {k: 3, k: 3}", {"'k' is given twice"}},
      {"features: &a {k: 3}\n", {"anchors"}},
      {"halo: *a\n", {"c.yaml:1:"}},
      {"halo: !!float 3\n", {"tag"}},
      {"halo: 1\n---\nhalo: 2\n", {"second YAML document"}},
      {"? [a]\n: 3\n", {"where a key is expected"}},
      {"? {a: b}\n: 3\n", {"where a key is expected"}},
      {": 3\n", {"a key is empty"}},
      {"features: {k: 3\nhalo: 3\n", {"c.yaml:", "not valid YAML"}},
      {"a:\n\t- b\n", {"c.yaml:2:", "not valid YAML"}},
      {std::string("halo: 1\0", 8), {"zero byte"}},
      {"out\x01put: 3", {"c.yaml:1:"}},
  });
}

TEST(Yaml, LongValuesAreShortenedInMessages) {
  const std::string message = message_of_yaml("halo: " + std::string(100000, 'x'));
  EXPECT_LT(message.size(), 300U);
  EXPECT_NE(message.find("xxx…'"), std::string::npos);
}

TEST(Files, ThatCannotBeRead) {
  EXPECT_NE(message_of({.preset = {}, .file = "no/such/file.yaml", .set = {}, .flags = {}})
                .find("cannot read the configuration no/such/file.yaml: No such file"),
            std::string::npos);
  const std::string folder = std::filesystem::temp_directory_path().string();
  EXPECT_NE(message_of({.preset = {}, .file = folder, .set = {}, .flags = {}}).find("cannot read the configuration " + folder),
            std::string::npos);
  EXPECT_NE(message_of({.preset = "lidarHD", .file = {}, .set = {}, .flags = {}}).find("presets are lidarhd, ml"), std::string::npos);
}

}  // namespace
}  // namespace tuile::config
