#include <numeric>

#include "tuile/core/error.hpp"
#include "write_support.hpp"

using namespace tuile;
using namespace tuile::write;
using tuile::test::SampleTile;
using tuile::test::TemporaryFolder;

namespace {

/// Writes the tile in blocks of the given size, in the given order.
WrittenFile write_npz(const std::filesystem::path& path, const SampleTile& tile, std::size_t block, bool backwards, Compression compression,
                      int threads = 2) {
  Executor executor(threads);
  const std::unique_ptr<Sink> sink = make_npz_sink(path, tile.layout, compression, executor);
  std::vector<std::size_t> starts;
  for (std::size_t start = 0; start < tile.layout.points; start += block) starts.push_back(start);
  if (backwards) std::reverse(starts.begin(), starts.end());
  for (const std::size_t start : starts) sink->write(tile.rows(start, std::min<std::size_t>(block, tile.layout.points - start)));
  return sink->finish();
}

}  // namespace

TEST(NpzSink, StoredBytesDoNotDependOnBlocksOrThreads) {
  const TemporaryFolder folder;
  const SampleTile tile(200001);
  const WrittenFile whole = write_npz(folder / "a.npz", tile, 200001, false, Compression::none);
  const std::string expected = test::read_file(folder / "a.npz");
  EXPECT_EQ(whole.size, expected.size());
  EXPECT_EQ(whole.checksum, file_checksum(folder / "a.npz"));
  for (const std::size_t block : {70000U, 65536U, 999U}) {
    const WrittenFile pieces = write_npz(folder / "b.npz", tile, block, true, Compression::none, 1);
    EXPECT_EQ(pieces.checksum, whole.checksum);
    EXPECT_TRUE(test::read_file(folder / "b.npz") == expected) << block;
  }
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"a.npz", "b.npz"}));
}

TEST(NpzSink, DeflatedBytesDoNotDependOnAlignedBlocks) {
  const TemporaryFolder folder;
  const SampleTile tile(200001);
  const WrittenFile whole = write_npz(folder / "a.npz", tile, 200001, false, Compression::deflate);
  const WrittenFile pieces = write_npz(folder / "b.npz", tile, npz_chunk_rows, true, Compression::deflate, 1);
  EXPECT_EQ(pieces.checksum, whole.checksum);
  EXPECT_LT(whole.size, write_npz(folder / "c.npz", tile, 200001, false, Compression::none).size);
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"a.npz", "b.npz", "c.npz"}));
}

TEST(NpzSink, UnfinishedLeavesNothing) {
  for (const Compression compression : {Compression::none, Compression::deflate}) {
    const TemporaryFolder folder;
    const SampleTile tile(1000);
    Executor executor(1);
    {
      const std::unique_ptr<Sink> sink = make_npz_sink(folder / "a.npz", tile.layout, compression, executor);
      sink->write(tile.rows(0, 500));
      EXPECT_EQ(folder.names().size(), compression == Compression::none ? 1U : 2U);
    }
    EXPECT_TRUE(folder.names().empty());
  }
}

TEST(NpzSink, RefusesRowsTwiceMissingOrBeyond) {
  const TemporaryFolder folder;
  const SampleTile tile(1000);
  Executor executor(1);
  const std::unique_ptr<Sink> sink = make_npz_sink(folder / "a.npz", tile.layout, Compression::none, executor);
  sink->write(tile.rows(100, 200));
  EXPECT_THROW(sink->write(tile.rows(299, 2)), InvalidArgument);
  EXPECT_THROW(sink->write(tile.rows(50, 51)), InvalidArgument);
  EXPECT_THROW(sink->write(tile.rows(100, 200)), InvalidArgument);
  EXPECT_THROW(sink->write(tile.rows(0, 1000)), InvalidArgument);
  RowBlock beyond = tile.rows(900, 100);
  beyond.first_row = 901;
  EXPECT_THROW(sink->write(beyond), InvalidArgument);
  RowBlock short_features = tile.rows(0, 10);
  short_features.features = short_features.features.first(29);
  EXPECT_THROW(sink->write(short_features), InvalidArgument);
  RowBlock no_valid = tile.rows(0, 10);
  no_valid.valid = {};
  EXPECT_THROW(sink->write(no_valid), InvalidArgument);
  sink->write(tile.rows(0, 100));
  try {
    sink->finish();
    FAIL() << "rows are missing";
  } catch (const InvalidArgument& error) {
    EXPECT_NE(std::string(error.what()).find("300 to 999"), std::string::npos) << error.what();
  }
  sink->write(tile.rows(300, 700));
  EXPECT_EQ(sink->finish().name, "a.npz");
}

TEST(NpzSink, RefusesFeatureNamesThatAreNotAscii) {
  const TemporaryFolder folder;
  SampleTile tile(1);
  Executor executor(1);
  tile.layout.feature_names[0] = "größe";
  EXPECT_THROW(make_npz_sink(folder / "a.npz", tile.layout, Compression::none, executor), InvalidArgument);
  EXPECT_TRUE(folder.names().empty());
}
