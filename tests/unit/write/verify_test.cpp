#include "tuile/write/verify.hpp"

#include "tuile/core/error.hpp"
#include "tuile/core/file/temporaries.hpp"
#include "write/tile_writer.hpp"
#include "write_support.hpp"

using namespace tuile;
using namespace tuile::write;
using tuile::test::SampleTile;
using tuile::test::TemporaryFolder;

namespace {

/// Writes NAME.npz and NAME.json of a tile of 1000 points.
Sidecar write_tile(const std::filesystem::path& folder, const std::string& name, Compression compression = Compression::none,
                   const Sidecar& about = test::sample_sidecar()) {
  const SampleTile tile(1000);
  Executor executor(1);
  std::vector<std::unique_ptr<Sink>> sinks;
  sinks.push_back(make_npz_sink(folder / (name + ".npz"), tile.layout, compression, executor));
  TileWriter writer(folder / (name + ".json"), std::move(sinks));
  writer.write(tile.rows(0, 1000));
  Sidecar sidecar = about;
  sidecar.rows = sidecar.input_points = 1000;
  sidecar.valid_points = 999;
  sidecar.features = {{"feature_0", 0, 0, 0, 0}, {"feature_1", 0, 0, 0, 0}, {"feature_2", 0, 0, 0, 0}};
  return writer.finish(sidecar);
}

/// The only problem found in a folder with one tile.
std::string only_problem(const std::filesystem::path& folder) {
  const VerifyReport report = verify_directory(folder);
  EXPECT_FALSE(report.ok());
  if (report.tiles.size() != 1 || report.tiles[0].problems.empty()) return "";
  std::string all;
  for (const std::string& problem : report.tiles[0].problems) all += problem + "\n";
  return all;
}

/// The sidecar at `path` says that NAME.laz beside it was written too, with `bytes`.
void add_laz(const std::filesystem::path& path, const std::string& name, const std::string& bytes) {
  Sidecar sidecar = read_sidecar(path);
  write_text_atomically(path.parent_path() / name, bytes);
  sidecar.outputs.push_back({name, bytes.size(), file_checksum(path.parent_path() / name)});
  write_sidecar(path, sidecar);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST(TileWriter, PublishesFilesAndSidecar) {
  const TemporaryFolder folder;
  const Sidecar sidecar = write_tile(folder.path(), "a");
  ASSERT_EQ(sidecar.outputs.size(), 1U);
  EXPECT_EQ(sidecar.outputs[0].name, "a.npz");
  EXPECT_EQ(sidecar.outputs[0].size, std::filesystem::file_size(folder / "a.npz"));
  EXPECT_EQ(sidecar.outputs[0].checksum, file_checksum(folder / "a.npz"));
  EXPECT_EQ(to_json(read_sidecar(folder / "a.json")), to_json(sidecar));
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"a.json", "a.npz"}));
}

TEST(TileWriter, NoSidecarVouchesForAHalfReplacedTile) {
  class FailingSink final : public Sink {
    void write(const RowBlock&) override {}
    WrittenFile finish() override { throw IoError("the disk is full"); }
  };
  const TemporaryFolder folder;
  write_tile(folder.path(), "a");
  std::vector<std::unique_ptr<Sink>> sinks;
  sinks.push_back(std::make_unique<FailingSink>());
  {
    TileWriter writer(folder / "a.json", std::move(sinks));
    EXPECT_EQ(folder.names(), (std::vector<std::string>{"a.json", "a.npz"}));
    EXPECT_THROW(writer.finish(Sidecar{}), IoError);
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.npz"});
}

TEST(TileWriter, RemovesOutputsOfFormatsNoLongerAskedFor) {
  const TemporaryFolder folder;
  write_tile(folder.path(), "a");
  add_laz(folder / "a.json", "a.laz", "of the first run");
  write_tile(folder.path(), "a");
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"a.json", "a.npz"}));
  EXPECT_TRUE(verify_directory(folder.path()).ok());
}

TEST(TileWriter, RemovesNothingThatMayNotBeItsOwn) {
  const TemporaryFolder folder;
  const auto run_over = [&](const std::string& name, const Sidecar& about) {
    add_laz(folder / "a.json", name, "bytes of a run");
    write_tile(folder.path(), "a", Compression::none, about);
    return std::filesystem::exists(folder / name);
  };
  write_tile(folder.path(), "a");
  Sidecar about = test::sample_sidecar();
  EXPECT_FALSE(run_over("a.laz", about));
  about.input.path = folder / "./a.laz";
  EXPECT_TRUE(run_over("a.laz", about));
  about = test::sample_sidecar();
  about.halo_used[1].path = folder / "a.laz";
  EXPECT_TRUE(run_over("a.laz", about));
  about = test::sample_sidecar();
  about.halo_missing[0].file.path = folder / "a.laz";
  EXPECT_TRUE(run_over("a.laz", about));
  about = test::sample_sidecar();
  EXPECT_TRUE(run_over("b.laz", about));  // another tile's
  add_laz(folder / "a.json", "a.laz", "bytes of a run");
  test::write_file(folder / "a.laz", "bytes of 1 run");
  write_tile(folder.path(), "a");
  EXPECT_EQ(test::read_file(folder / "a.laz"), "bytes of 1 run");
}

TEST(Verify, ArraysOfLabels) {
  const TemporaryFolder folder;
  SampleTile tile(1000);
  tile.layout.labels = true;
  tile.layout.objects = {{"a", "b"}, {1, 2}, {"nature"}, {"Pont", ""}};
  const std::vector<std::uint8_t> codes(1000);
  const std::vector<std::int32_t> objects(1000, -1);
  Executor executor(1);
  std::vector<std::unique_ptr<Sink>> sinks;
  sinks.push_back(make_npz_sink(folder / "a.npz", tile.layout, Compression::none, executor));
  TileWriter writer(folder / "a.json", std::move(sinks));
  RowBlock block = tile.rows(0, 1000);
  block.labels = block.label_source = codes;
  block.label_object = objects;
  writer.write(block);
  Sidecar sidecar = test::labelled_sidecar();
  sidecar.rows = 1000;
  sidecar.valid_points = 999;
  sidecar.features = {{"feature_0", 0, 0, 0, 0}, {"feature_1", 0, 0, 0, 0}, {"feature_2", 0, 0, 0, 0}};
  sidecar = writer.finish(sidecar);
  EXPECT_TRUE(verify_directory(folder.path()).ok());

  // One row less of one array, the sidecar vouching for the file as it is: shapes and names have their length.
  const std::string sound = test::read_file(folder / "a.npz");
  const auto replaced = [&](const std::string& name, const std::string& from, const std::string& to) {
    std::string bytes = sound;
    const std::size_t member = bytes.find(name + ".npy");
    bytes.replace(bytes.find(from, member), from.size(), to);
    test::write_file(folder / "a.npz", bytes);
    sidecar.outputs[0].checksum = file_checksum(folder / "a.npz");
    write_sidecar(folder / "a.json", sidecar);
    return only_problem(folder.path());
  };
  EXPECT_TRUE(contains(
      replaced("label_object", "'<i4', 'fortran_order': False, 'shape': (1000,)", "'|u1', 'fortran_order': False, 'shape': (4000,)"),
      "shape of 'label_object' is (4000), the sidecar says (1000)"));
  EXPECT_TRUE(
      contains(replaced("object_nature", "'<U4', 'fortran_order': False, 'shape': (2,)", "'<U2', 'fortran_order': False, 'shape': (4,)"),
               "shape of 'object_nature' is (4), that of 'object_ids' (2)"));

  write_tile(folder.path(), "a", Compression::none, test::labelled_sidecar());
  const std::string problems = only_problem(folder.path());
  for (const char* array : {"'labels' is missing", "'label_source' is missing", "'label_object' is missing", "'object_ids' is missing"})
    EXPECT_TRUE(contains(problems, array)) << problems;
}

TEST(Verify, InputsInTheOutputFolder) {
  const TemporaryFolder folder;
  for (const char* name : {"a.laz", "b.laz", "c.laz", "d.laz", "e.las"}) test::write_file(folder / name, name);
  std::filesystem::create_directory_symlink(folder.path(), folder / "link");
  Sidecar about = test::sample_sidecar();
  about.input.path = folder / "link/a.laz";
  about.halo_used = {identify(folder / "b.laz")};
  about.halo_used[0].path = "of/another/working/folder/b.laz";
  about.halo_missing[0].file.path = folder / "c.laz";
  write_tile(folder.path(), "a", Compression::none, about);
  const VerifyReport report = verify_directory(folder.path());
  EXPECT_EQ(report.without_sidecar, std::vector<std::filesystem::path>{folder / "d.laz"});
  std::filesystem::remove(folder / "d.laz");
  EXPECT_TRUE(verify_directory(folder.path()).ok());
}

TEST(Verify, ATileNamedLikeARunReport) {
  const TemporaryFolder folder;
  write_tile(folder.path(), "run-1");
  EXPECT_TRUE(verify_directory(folder.path()).ok());
  EXPECT_EQ(verify_directory(folder.path()).files_checked, 1U);
  std::filesystem::remove(folder / "run-1.npz");
  EXPECT_TRUE(contains(only_problem(folder.path()), "run-1.npz: the file is missing"));
}

TEST(Verify, NamesThatAreNotUtf8) {
  const TemporaryFolder folder;
  write_tile(folder.path(), "\xE9t\xE9");
  const VerifyReport report = verify_directory(folder.path());
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.files_checked, 1U);
}

TEST(Verify, SoundDirectory) {
  const TemporaryFolder folder;
  const Sidecar a = write_tile(folder.path(), "a"), b = write_tile(folder / "sub", "b", Compression::deflate);
  test::write_file(folder / "run-1.json", "{\"tiles\": []}");
  test::write_file(folder / "trace.json", "{\"traceEvents\": []}");
  test::write_file(folder / "list.json", "[]");
  test::write_file(folder / "report.html", "");
  const VerifyReport report = verify_directory(folder.path());
  for (const TileVerification& tile : report.tiles)
    for (const std::string& problem : tile.problems) ADD_FAILURE() << problem;
  EXPECT_TRUE(report.ok());
  ASSERT_EQ(report.tiles.size(), 2U);
  EXPECT_EQ(report.tiles[1].sidecar, folder / "sub/b.json");
  EXPECT_EQ(report.files_checked, 2U);
  EXPECT_EQ(report.bytes_checked, a.outputs[0].size + b.outputs[0].size);
  EXPECT_TRUE(report.leftovers.empty());
}

TEST(Verify, MissingFile) {
  const TemporaryFolder folder;
  write_tile(folder.path(), "a");
  std::filesystem::remove(folder / "a.npz");
  EXPECT_TRUE(contains(only_problem(folder.path()), "a.npz: the file is missing"));
}

TEST(Verify, AnotherSize) {
  const TemporaryFolder folder;
  write_tile(folder.path(), "a");
  test::write_file(folder / "a.npz", test::read_file(folder / "a.npz") + "x");
  const std::string problem = only_problem(folder.path());
  EXPECT_TRUE(contains(problem, "a.npz: size is ")) << problem;
  EXPECT_TRUE(contains(problem, "checksum")) << problem;
}

TEST(Verify, OneFlippedBit) {
  const TemporaryFolder folder;
  write_tile(folder.path(), "a");
  std::string bytes = test::read_file(folder / "a.npz");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  test::write_file(folder / "a.npz", bytes);
  const std::string problem = only_problem(folder.path());
  EXPECT_TRUE(contains(problem, "checksum is xxh3:")) << problem;
  EXPECT_FALSE(contains(problem, "size")) << problem;
}

TEST(Verify, CountsThatDisagree) {
  const TemporaryFolder folder;
  Sidecar sidecar = write_tile(folder.path(), "a");
  sidecar.rows = 1001;
  write_sidecar(folder / "a.json", sidecar);
  const std::string problem = only_problem(folder.path());
  EXPECT_TRUE(contains(problem, "shape of 'features' is (1000, 3), the sidecar says (1001, 3)")) << problem;
  EXPECT_TRUE(contains(problem, "do not make its 1001 rows")) << problem;
}

TEST(Verify, DamagedSidecarAndItsOrphans) {
  const TemporaryFolder folder;
  write_tile(folder.path(), "a");
  test::write_file(folder / "a.json", test::read_file(folder / "a.json").substr(0, 300));
  EXPECT_TRUE(contains(only_problem(folder.path()), "not JSON"));
  EXPECT_EQ(verify_directory(folder.path()).without_sidecar, std::vector<std::filesystem::path>{folder / "a.npz"});
}

TEST(Verify, OutputWithoutSidecar) {
  const TemporaryFolder folder;
  write_tile(folder.path(), "a");
  test::write_file(folder / "b.laz", "");
  const VerifyReport report = verify_directory(folder.path());
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report.without_sidecar, std::vector<std::filesystem::path>{folder / "b.laz"});
}

TEST(Verify, LeftoversDoNoHarm) {
  const TemporaryFolder folder;
  write_tile(folder.path(), "a");
  const std::string name = temporary_name("a.npz");
  test::write_file(folder / name, "half");
  const VerifyReport report = verify_directory(folder.path());
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.leftovers, std::vector<std::filesystem::path>{folder / name});
}

TEST(Verify, NoSuchFolder) {
  const TemporaryFolder folder;
  EXPECT_THROW(verify_directory(folder / "nowhere"), NotFound);
}
