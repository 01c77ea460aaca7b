#include "write/done.hpp"

#include "tuile/core/error.hpp"
#include "write/sidecar.hpp"
#include "write_support.hpp"

using namespace tuile;
using namespace tuile::write;
using tuile::test::sample_sidecar;
using tuile::test::TemporaryFolder;

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

TEST(Done, GroundTruthAndImageryAreTrustedOnlyWhereAnotherTryGivesTheSame) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "tile.json";
  const auto done = [&](const Sidecar& sidecar) {
    write_sidecar(path, sidecar);
    DoneKey key{sidecar.input, sidecar.halo_used, sidecar.config_hash, "cpu", "0.1.0"};
    key.halo.push_back(sidecar.halo_missing[0].file);
    return is_done(path, key);
  };
  Sidecar sidecar = sample_sidecar();
  sidecar.outputs.clear();
  sidecar.ground_truth.source = "wfs";
  sidecar.ground_truth.remote = true;
  sidecar.ground_truth.layers = {{"a", Outcome::data, 1, 0, 1, "", ""}, {"b", Outcome::confirmed_empty, 0, 0, 0, "", ""}};
  sidecar.imagery.source = "wms";
  sidecar.imagery.remote = true;
  for (const Outcome outcome : {Outcome::data, Outcome::confirmed_empty, Outcome::not_requested}) {
    sidecar.ground_truth.layers[1].outcome = sidecar.imagery.rgb = outcome;
    EXPECT_TRUE(done(sidecar)) << to_string(outcome);
  }
  const Sidecar sound = sidecar;
  for (const Outcome outcome : {Outcome::truncated, Outcome::failed}) {
    for (const char* kind : {"corrupt", "unsupported", "not_found", "io", "timeout", "permission", ""}) {
      const std::string name = kind;
      const bool stays = name == "corrupt" || name == "unsupported";
      sidecar = sound;
      sidecar.ground_truth.layers[1].outcome = outcome;
      sidecar.ground_truth.layers[1].kind = name;
      sidecar.ground_truth.source = "bdtopo.gpkg";
      sidecar.ground_truth.remote = false;
      EXPECT_EQ(done(sidecar), stays || name == "not_found") << name;
      sidecar.ground_truth.source = "wfs";
      sidecar.ground_truth.remote = true;
      EXPECT_FALSE(done(sidecar)) << name;
      for (Outcome ImageryReport::*part : {&ImageryReport::rgb, &ImageryReport::nir}) {
        sidecar = sound;
        sidecar.imagery.*part = outcome;
        sidecar.imagery.kind = name;
        sidecar.imagery.source = "ortho.tif";
        sidecar.imagery.remote = false;
        EXPECT_EQ(done(sidecar), stays || name == "not_found") << name;
        sidecar.imagery.source = "wms";
        sidecar.imagery.remote = true;
        EXPECT_FALSE(done(sidecar)) << name;
      }
    }
  }
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
