#include "write/sidecar.hpp"

#include <nlohmann/json.hpp>
#include <set>

#include "tuile/core/error.hpp"
#include "write/path_text.hpp"
#include "write_support.hpp"

using namespace tuile;
using namespace tuile::write;
using nlohmann::json;
using tuile::test::labelled_sidecar;
using tuile::test::sample_sidecar;
using tuile::test::TemporaryFolder;

namespace {

constexpr const char* validator = R"(
import json, sys
try:
    import jsonschema
except ImportError:
    sys.exit(77)
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
check = jsonschema.Draft202012Validator(schema)
for path in sys.argv[2:]:
    document = json.load(open(path))
    for error in check.iter_errors(document):
        sys.exit('%s: %s' % (path, error))
def objects(value):
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)
document = json.load(open(sys.argv[2]))
assert check.is_valid({key: value for key, value in document.items() if key not in ('preprocess', 'ground_truth', 'imagery')})
for layer in document['ground_truth']['layers'] + [document['imagery']]:
    sound = dict(layer)
    layer['reason'] = layer['kind'] = 'io'
    assert check.is_valid(document) == ('reason' in sound), layer
    layer.clear()
    layer.update(sound)
for label in ('-1', '06', '256', 'six'):
    document['ground_truth']['classes'][label] = 1
    assert not check.is_valid(document), label
    del document['ground_truth']['classes'][label]
for item in list(objects(document)):
    item['unknown'] = 1
    assert not check.is_valid(document), item
    del item['unknown']
    for key, value in list(item.items()):
        if key.isdigit() or key == 'remote' or item is document and key in ('preprocess', 'ground_truth', 'imagery'):
            continue
        del item[key]
        assert not check.is_valid(document), key
        item[key] = value
)";

/// Every place in a document, the root first.
void places(const json& value, const json::json_pointer& at, std::vector<json::json_pointer>& found) {
  found.push_back(at);
  if (value.is_object())
    for (const auto& [key, item] : value.items()) places(item, at / key, found);
  if (value.is_array())
    for (std::size_t i = 0; i < value.size(); ++i) places(value[i], at / i, found);
}

}  // namespace

TEST(Sidecar, ReadsBackTheSame) {
  const Sidecar sidecar = sample_sidecar();
  const std::string text = to_json(sidecar);
  const Sidecar back = sidecar_from_json(text);
  EXPECT_EQ(to_json(back), text);
  EXPECT_EQ(back.version, sidecar.version);
  EXPECT_EQ(back.config_hash, sidecar.config_hash);
  EXPECT_EQ(back.backend, sidecar.backend);
  EXPECT_EQ(back.device, sidecar.device);
  EXPECT_EQ(back.input, sidecar.input);
  EXPECT_EQ(back.input_points, sidecar.input_points);
  EXPECT_EQ(back.input_bounds, sidecar.input_bounds);
  EXPECT_EQ(back.crs_epsg, 2154);
  EXPECT_EQ(back.crs_name, sidecar.crs_name);
  EXPECT_EQ(back.halo_width, sidecar.halo_width);
  EXPECT_EQ(back.halo_used, sidecar.halo_used);
  ASSERT_EQ(back.halo_missing.size(), 1U);
  EXPECT_EQ(back.halo_missing[0].file, sidecar.halo_missing[0].file);
  EXPECT_EQ(back.halo_missing[0].reason, "truncated");
  EXPECT_EQ(back.halo_missing[0].kind, "corrupt");
  EXPECT_EQ(back.grid_scale, sidecar.grid_scale);
  EXPECT_TRUE(back.rounded);
  EXPECT_EQ(back.rows, 10U);
  EXPECT_EQ(back.valid_points, 9U);
  EXPECT_EQ(back.invalid_points, 1U);
  EXPECT_EQ(back.degenerate_neighbourhoods, 3U);
  EXPECT_EQ(back.truncated_neighbourhoods, 4U);
  EXPECT_FALSE(back.preprocess);
  ASSERT_EQ(back.features.size(), 2U);
  EXPECT_EQ(back.features[0].mean, 1.0 / 3.0);
  EXPECT_TRUE(std::isnan(back.features[1].min));
  EXPECT_EQ(back.missing_columns, sidecar.missing_columns);
  EXPECT_EQ(back.warnings, sidecar.warnings);
  EXPECT_EQ(back.outputs, sidecar.outputs);
}

TEST(Sidecar, GroundTruthAndImageryReadBackTheSame) {
  const Sidecar sidecar = labelled_sidecar();
  const std::string text = to_json(sidecar);
  const Sidecar back = sidecar_from_json(text);
  EXPECT_EQ(to_json(back), text);
  EXPECT_EQ(back.preprocess, (PreprocessReport{1, 2, 3, 4}));
  const GroundTruthReport& truth = back.ground_truth;
  EXPECT_EQ(truth.source, sidecar.ground_truth.source);
  EXPECT_EQ(truth.edition, "V3 2026-06-15");
  EXPECT_TRUE(truth.labelled);
  ASSERT_EQ(truth.layers.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    const LayerReport &found = truth.layers[i], &expected = sidecar.ground_truth.layers[i];
    EXPECT_EQ(found.layer, expected.layer);
    EXPECT_EQ(found.outcome, expected.outcome);
    EXPECT_EQ(found.objects, expected.objects);
    EXPECT_EQ(found.repaired, expected.repaired);
    EXPECT_EQ(found.points, expected.points);
    EXPECT_EQ(found.reason, expected.reason);
    EXPECT_EQ(found.kind, expected.kind);
  }
  EXPECT_EQ(truth.from_file, 2U);
  EXPECT_EQ(truth.from_ndvi, 1U);
  EXPECT_EQ(truth.classes, sidecar.ground_truth.classes);
  EXPECT_EQ(back.imagery.source, "wms");
  EXPECT_TRUE(back.imagery.remote);
  EXPECT_FALSE(back.ground_truth.remote);
  EXPECT_EQ(back.imagery.rgb, Outcome::data);
  EXPECT_EQ(back.imagery.nir, Outcome::failed);
  EXPECT_EQ(back.imagery.rgb_unknown, 4U);
  EXPECT_EQ(back.imagery.nir_unknown, 0U);
  EXPECT_EQ(back.imagery.reason, "white image");
  EXPECT_EQ(back.imagery.kind, "io");

  const json document = json::parse(text);
  EXPECT_EQ(document["ground_truth"]["classes"], (json{{"1", 2}, {"6", 7}, {"70", 1}}));
  EXPECT_EQ(document["ground_truth"]["layers"][1]["outcome"], "confirmed empty");
  EXPECT_FALSE(document["ground_truth"]["layers"][0].contains("reason"));
  EXPECT_TRUE(json::parse(to_json(sample_sidecar()))["ground_truth"].is_null());
  EXPECT_TRUE(json::parse(to_json(sample_sidecar()))["imagery"].is_null());
}

TEST(Sidecar, ClassesInAnotherOrderAreTheSame) {
  json document = json::parse(to_json(labelled_sidecar()));
  document["ground_truth"]["classes"] = {{"10", 3}, {"9", 4}};  // nlohmann sorts them as texts
  const Sidecar back = sidecar_from_json(document.dump());
  EXPECT_EQ(back.ground_truth.classes, (std::vector<std::pair<int, std::uint64_t>>{{9, 4}, {10, 3}}));
  for (const char* key : {"", "-1", "06", "256", "1000", "six", "6 "}) {
    document["ground_truth"]["classes"] = {{key, 1}};
    EXPECT_THROW(sidecar_from_json(document.dump()), CorruptData) << key;
  }
}

TEST(Sidecar, ThoseOfVersion010AreStillRead) {
  json old = json::parse(to_json(labelled_sidecar()));
  old.erase("preprocess");
  old.erase("ground_truth");
  old.erase("imagery");
  const Sidecar back = sidecar_from_json(old.dump());
  EXPECT_TRUE(back.ground_truth.source.empty());
  EXPECT_FALSE(back.ground_truth.labelled);
  EXPECT_TRUE(back.imagery.source.empty());
  EXPECT_EQ(to_json(back), to_json(sample_sidecar()));
}

TEST(Sidecar, ReasonsStandWhereSomethingWentWrongOnly) {
  const json sound = json::parse(to_json(labelled_sidecar()));
  for (std::size_t i = 0; i < 5; ++i) {
    const bool wrong = i == 2 || i == 3;
    for (const char* key : {"reason", "kind"}) {
      json damaged = sound;
      json& layer = damaged["ground_truth"]["layers"][i];
      if (wrong)
        layer.erase(key);
      else
        layer[key] = "io";
      EXPECT_THROW(sidecar_from_json(damaged.dump()), CorruptData) << i << key;
    }
  }
  json damaged = sound;
  damaged["imagery"]["nir"] = "data";
  EXPECT_THROW(sidecar_from_json(damaged.dump()), CorruptData);
  damaged["imagery"]["rgb"] = "truncated";
  EXPECT_EQ(sidecar_from_json(damaged.dump()).imagery.reason, "white image");
  damaged["imagery"]["rgb"] = "white";
  EXPECT_THROW(sidecar_from_json(damaged.dump()), CorruptData);
  damaged = sound;
  damaged["ground_truth"]["source"] = "";
  EXPECT_THROW(sidecar_from_json(damaged.dump()), CorruptData);
}

/// Those of 0.5.0 do not say whether a service was asked: where something went wrong, it is asked once more.
TEST(Sidecar, WhereRemoteIsNotSaidWhatWentWrongIsAskedForAgain) {
  json told = json::parse(to_json(labelled_sidecar()));
  EXPECT_EQ(told["ground_truth"]["remote"], false);
  told["ground_truth"].erase("remote");
  EXPECT_TRUE(sidecar_from_json(told.dump()).ground_truth.remote);
  Sidecar sound = labelled_sidecar();
  sound.ground_truth.layers.resize(2);
  told = json::parse(to_json(sound));
  EXPECT_FALSE(told["ground_truth"].contains("remote"));
  EXPECT_FALSE(sidecar_from_json(told.dump()).ground_truth.remote);
}

TEST(Sidecar, EmptyTile) {
  const Sidecar back = sidecar_from_json(to_json(Sidecar{}));
  EXPECT_TRUE(back.input_bounds.empty());
  EXPECT_TRUE(back.features.empty());
}

TEST(Sidecar, FitsThePublishedSchema) {
  const TemporaryFolder folder;
  write_sidecar(folder / "sample.json", labelled_sidecar());
  write_sidecar(folder / "empty.json", Sidecar{});
  const int status = test::run_python(
      validator, std::string(TUILE_SOURCE_DIR) + "/docs/sidecar.schema.json " + (folder / "sample.json") + " " + (folder / "empty.json"));
  if (status == 77) GTEST_SKIP() << "python3-jsonschema is not installed";
  EXPECT_EQ(status, 0);
}

TEST(Sidecar, BytesThatAreNotUtf8AreKeptInPathsAndReplacedInTexts) {
  Sidecar sidecar = sample_sidecar();
  sidecar.input.path = "in/\xE9t\xE9.laz";
  sidecar.halo_used[0].path = "in/\xFF\uFFFD.laz";
  sidecar.halo_missing[0].file.path = "in/\xF0\x9F.laz";
  sidecar.outputs[0].name = "\xE9t\xE9.npz";
  sidecar.warnings = {"\xE9t\xE9"};
  const std::string text = to_json(sidecar);
  EXPECT_EQ(json::parse(text)["input"]["path"], "in/\uFFFDE9t\uFFFDE9.laz");
  const Sidecar back = sidecar_from_json(text);
  EXPECT_EQ(back.input, sidecar.input);
  EXPECT_EQ(back.halo_used, sidecar.halo_used);
  EXPECT_EQ(back.halo_missing[0].file, sidecar.halo_missing[0].file);
  EXPECT_EQ(back.outputs, sidecar.outputs);
  EXPECT_EQ(back.warnings[0], "\uFFFDt\uFFFD");
}

TEST(PathText, EveryPathReadsBackAndIsUtf8) {
  std::mt19937 random(3);
  // Bytes at which UTF-8's rules change, so that random strings hold sound and unsound characters of every length.
  const std::string edges = "/a\x7F\x80\x8F\x90\x9F\xA0\xBD\xBF\xC1\xC2\xDF\xE0\xED\xEF\xF0\xF4\xF5\xFF";
  std::size_t kept = 0;
  for (int trial = 0; trial < 100000; ++trial) {
    std::string path;
    for (std::size_t length = random() % 7; path.size() < length;) path += edges[random() % edges.size()];
    const std::string text = path_to_text(path);
    EXPECT_EQ(path_from_text(text), path);
    EXPECT_NO_THROW((void)json(text).dump());  // nlohmann refuses what is not UTF-8
    bool sound = path.find("\uFFFD") == std::string::npos;
    try {
      (void)json(path).dump();
    } catch (const json::exception&) {
      sound = false;
    }
    EXPECT_EQ(text == path, sound);
    kept += text == path ? 1 : 0;
  }
  EXPECT_GT(kept, 10000U);
  for (const char* damaged : {"\uFFFD", "a\uFFFDE", "\uFFFDe9", "\uFFFDG0", "\uFFFD\uFFFDE9"})
    EXPECT_FALSE(path_from_text(damaged)) << damaged;
}

TEST(Sidecar, EveryTruncationIsRefused) {
  const std::string text = to_json(labelled_sidecar());
  for (std::size_t cut = 0; cut + 1 < text.size(); ++cut) EXPECT_THROW(sidecar_from_json(text.substr(0, cut)), CorruptData) << cut;
}

TEST(Sidecar, EveryMissingUnknownOrMistypedKeyIsRefused) {
  const json sound = json::parse(to_json(labelled_sidecar()));
  std::vector<json::json_pointer> all;
  places(sound, json::json_pointer(), all);
  const std::set<std::string> counts{"tuile_sidecar",
                                     "size",
                                     "points",
                                     "rows",
                                     "valid",
                                     "invalid",
                                     "epsg",
                                     "nan",
                                     "degenerate_neighbourhoods",
                                     "truncated_neighbourhoods",
                                     "objects",
                                     "repaired",
                                     "from_file",
                                     "from_ndvi",
                                     "rgb_unknown",
                                     "nir_unknown",
                                     "exclude_classes",
                                     "statistical_outliers",
                                     "radius_outliers",
                                     "voxel",
                                     "1",
                                     "6",
                                     "70"};
  EXPECT_GT(all.size(), 50U);
  for (const json::json_pointer& place : all) {
    json damaged = sound;
    // No key takes a boolean and a number, nor an array and an object.
    damaged[place] = sound[place].is_boolean() ? json(1) : json(true);
    EXPECT_THROW(sidecar_from_json(damaged.dump()), CorruptData) << place;
    if (!place.empty() && counts.contains(place.back()) && sound[place].is_number()) {
      damaged[place] = -1;
      EXPECT_THROW(sidecar_from_json(damaged.dump()), CorruptData) << place;
      damaged[place] = 0.5;
      EXPECT_THROW(sidecar_from_json(damaged.dump()), CorruptData) << place;
    }
    if (!sound[place].is_object()) continue;
    damaged = sound;
    damaged[place]["unknown"] = 1;
    EXPECT_THROW(sidecar_from_json(damaged.dump()), CorruptData) << place;
    if (!place.empty() && place.back() == "classes") continue;  // each class may be missing
    for (const auto& [key, item] : sound[place].items()) {
      if (key == "preprocess" || key == "ground_truth" || key == "imagery") continue;  // version 0.1.0 had none
      if (key == "remote") continue;                                                   // stands where it is so only
      damaged = sound;
      damaged[place].erase(key);
      try {
        sidecar_from_json(damaged.dump());
        ADD_FAILURE() << place << " without " << key;
      } catch (const CorruptData& error) {
        EXPECT_NE(std::string(error.what()).find(key), std::string::npos) << error.what();
      }
    }
  }
}

TEST(Sidecar, OutputsMayNotPointElsewhere) {
  for (const char* name : {"", ".", "..", "../a.npz", "/etc/passwd", "a/b.npz"}) {
    Sidecar sidecar = sample_sidecar();
    sidecar.outputs[0].name = name;
    EXPECT_THROW(sidecar_from_json(to_json(sidecar)), CorruptData) << name;
  }
  json document = json::parse(to_json(sample_sidecar()));
  document["outputs"][0]["name"] = "..\uFFFD2Fa.npz";  // a hidden '/'
  EXPECT_THROW(sidecar_from_json(document.dump()), CorruptData);
}

TEST(Sidecar, RandomDamageGivesErrorsOnly) {
  const std::string sound = to_json(labelled_sidecar());
  std::mt19937 random(11);
  std::size_t refused = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    std::string damaged = sound;
    for (std::uint32_t flip = 0; flip < 1 + random() % 4; ++flip) damaged[random() % damaged.size()] = static_cast<char>(random());
    try {
      sidecar_from_json(damaged);
    } catch (const CorruptData&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 10000U);
  EXPECT_THROW(sidecar_from_json(std::string(100000, '[')), CorruptData);
}

TEST(Sidecar, ReadingNamesTheFile) {
  const TemporaryFolder folder;
  EXPECT_THROW(read_sidecar(folder / "a.json"), NotFound);
  EXPECT_THROW(read_sidecar(folder.path()), Error);
  test::write_file(folder / "a.json", "{");
  try {
    read_sidecar(folder / "a.json");
    FAIL();
  } catch (const CorruptData& error) {
    EXPECT_NE(std::string(error.what()).find("a.json"), std::string::npos);
  }
}
