#include <nlohmann/json.hpp>
#include <set>

#include "tuile/core/error.hpp"
#include "tuile/write/done.hpp"
#include "tuile/write/sidecar.hpp"
#include "write/path_text.hpp"
#include "write_support.hpp"

using namespace tuile;
using namespace tuile::write;
using nlohmann::json;
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
for item in list(objects(document)):
    item['unknown'] = 1
    assert not check.is_valid(document), item
    del item['unknown']
    for key, value in list(item.items()):
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
  ASSERT_EQ(back.features.size(), 2U);
  EXPECT_EQ(back.features[0].mean, 1.0 / 3.0);
  EXPECT_TRUE(std::isnan(back.features[1].min));
  EXPECT_EQ(back.missing_columns, sidecar.missing_columns);
  EXPECT_EQ(back.warnings, sidecar.warnings);
  EXPECT_EQ(back.outputs, sidecar.outputs);
}

TEST(Sidecar, EmptyTile) {
  const Sidecar back = sidecar_from_json(to_json(Sidecar{}));
  EXPECT_TRUE(back.input_bounds.empty());
  EXPECT_TRUE(back.features.empty());
}

TEST(Sidecar, FitsThePublishedSchema) {
  const TemporaryFolder folder;
  write_sidecar(folder / "sample.json", sample_sidecar());
  write_sidecar(folder / "empty.json", Sidecar{});
  const int status = test::run_python(validator, std::string(TUILE_SOURCE_DIR) + "/docs/sidecar.schema.json " +
                                                     (folder / "sample.json").string() + " " + (folder / "empty.json").string());
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
  const std::string text = to_json(sample_sidecar());
  for (std::size_t cut = 0; cut + 1 < text.size(); ++cut) EXPECT_THROW(sidecar_from_json(text.substr(0, cut)), CorruptData) << cut;
}

TEST(Sidecar, EveryMissingUnknownOrMistypedKeyIsRefused) {
  const json sound = json::parse(to_json(sample_sidecar()));
  std::vector<json::json_pointer> all;
  places(sound, json::json_pointer(), all);
  const std::set<std::string> counts{
      "tuile_sidecar",           "size", "points", "rows", "valid", "invalid", "epsg", "nan", "degenerate_neighbourhoods",
      "truncated_neighbourhoods"};
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
    for (const auto& [key, item] : sound[place].items()) {
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
  const std::string sound = to_json(sample_sidecar());
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

TEST(Identity, ChangesWithTheFile) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.laz";
  test::write_file(path, "12345");
  const FileIdentity first = identify(path);
  EXPECT_EQ(first.path, path);
  EXPECT_EQ(first.size, 5U);
  const std::filesystem::file_time_type time = std::filesystem::last_write_time(path);
  const auto system = std::chrono::file_clock::to_sys(time).time_since_epoch();
  EXPECT_EQ(first.mtime_ns, std::chrono::duration_cast<std::chrono::nanoseconds>(system).count());
  EXPECT_EQ(identify(path), first);
  std::filesystem::last_write_time(path, time + std::chrono::seconds(1));
  EXPECT_EQ(identify(path).mtime_ns, first.mtime_ns + 1'000'000'000);
  EXPECT_THROW(identify(folder / "none.laz"), NotFound);
}

TEST(Done, NamesThatAreNotUtf8) {
  const TemporaryFolder folder;
  Sidecar sidecar = sample_sidecar();
  sidecar.input.path = "in/\xE9t\xE9.laz";
  sidecar.outputs = {{"\xE9t\xE9.npz", 4, sidecar.outputs[0].checksum}};
  const std::filesystem::path path = folder / "\xE9t\xE9.json";
  write_sidecar(path, sidecar);
  test::write_file(folder / "\xE9t\xE9.npz", "1234");
  DoneKey key{sidecar.input, sidecar.halo_used, sidecar.config_hash, "cpu", "0.1.0"};
  key.halo.push_back(sidecar.halo_missing[0].file);
  EXPECT_TRUE(is_done(path, key));
  key.input.path = "in/\xE8t\xE8.laz";
  EXPECT_FALSE(is_done(path, key));
}

TEST(Done, AMissingNeighbourIsTrustedOnlyWhereItCannotPass) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "tile.json";
  for (const ErrorKind kind : {ErrorKind::corrupt, ErrorKind::unsupported, ErrorKind::io, ErrorKind::not_found, ErrorKind::permission,
                               ErrorKind::out_of_memory, ErrorKind::timeout}) {
    Sidecar sidecar = sample_sidecar();
    sidecar.outputs.clear();
    sidecar.halo_missing[0].kind = to_string(kind);
    write_sidecar(path, sidecar);
    DoneKey key{sidecar.input, sidecar.halo_used, sidecar.config_hash, "cpu", "0.1.0"};
    key.halo.push_back(sidecar.halo_missing[0].file);
    EXPECT_EQ(is_done(path, key), kind == ErrorKind::corrupt || kind == ErrorKind::unsupported) << to_string(kind);
  }
  const MissingHaloTile unsaid;
  EXPECT_EQ(unsaid.kind, to_string(ErrorKind::io));
}

TEST(Done, OnlyForTheSameWork) {
  const TemporaryFolder folder;
  Sidecar sidecar = sample_sidecar();
  sidecar.outputs[0].size = 4;
  write_sidecar(folder / "tile.json", sidecar);
  test::write_file(folder / "tile.npz", "1234");
  const DoneKey same{
      sidecar.input, {sidecar.halo_missing[0].file, sidecar.halo_used[1], sidecar.halo_used[0]}, sidecar.config_hash, "cpu", "0.1.0"};
  const std::filesystem::path path = folder / "tile.json";
  EXPECT_TRUE(is_done(path, same));

  const auto changed = [&](auto&& change) {
    DoneKey key = same;
    change(key);
    return is_done(path, key);
  };
  EXPECT_TRUE(changed([](DoneKey& key) { key.input.path = "/elsewhere/tile \"é\".laz"; }));
  EXPECT_FALSE(changed([](DoneKey& key) { key.input.path = "in/other.laz"; }));
  EXPECT_FALSE(changed([](DoneKey& key) { ++key.input.size; }));
  EXPECT_FALSE(changed([](DoneKey& key) { ++key.input.mtime_ns; }));
  EXPECT_FALSE(changed([](DoneKey& key) { ++key.halo[0].size; }));
  EXPECT_FALSE(changed([](DoneKey& key) { --key.halo[2].mtime_ns; }));
  EXPECT_FALSE(changed([](DoneKey& key) { key.halo.pop_back(); }));
  EXPECT_FALSE(changed([](DoneKey& key) { key.halo.push_back({"in/new.laz", 1, 2}); }));
  EXPECT_FALSE(changed([](DoneKey& key) { key.config_hash = "other"; }));
  EXPECT_FALSE(changed([](DoneKey& key) { key.backend = "cuda"; }));
  EXPECT_FALSE(changed([](DoneKey& key) { key.version = "0.2.0"; }));

  test::write_file(folder / "tile.npz", "12345");
  EXPECT_FALSE(is_done(path, same));
  std::filesystem::remove(folder / "tile.npz");
  EXPECT_FALSE(is_done(path, same));
  std::filesystem::create_directory(folder / "tile.npz");
  EXPECT_FALSE(is_done(path, same));
  std::filesystem::remove(folder / "tile.npz");
  test::write_file(folder / "tile.npz", "1234");
  EXPECT_TRUE(is_done(path, same));
  test::write_file(path, to_json(sidecar).substr(0, 200));
  EXPECT_FALSE(is_done(path, same));
  std::filesystem::remove(path);
  EXPECT_FALSE(is_done(path, same));
}
