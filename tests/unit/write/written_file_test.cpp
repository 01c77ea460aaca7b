#include "tuile/write/written_file.hpp"

#include <sys/mount.h>

#include "tuile/core/error.hpp"
#include "write_support.hpp"

using namespace tuile;
using namespace tuile::write;
using tuile::test::TemporaryFolder;

TEST(WrittenFile, SaysWhatWasPublished) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "deep/a.bin");
  file.append(bytes_of("abcdef"));
  const WrittenFile written = publish_output(file);
  EXPECT_EQ(written.name, "a.bin");
  EXPECT_EQ(written.size, 6U);
  EXPECT_EQ(written.checksum, file_checksum(folder / "deep/a.bin"));
}

TEST(WrittenFile, ChecksumIsXxh3) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "empty");
  EXPECT_EQ(publish_output(file).checksum, "xxh3:2d06800538d394c2");  // XXH3-64 of no bytes, as the algorithm's specification lists it
}

TEST(WrittenFile, FullDisk) {
  const TemporaryFolder folder;
  if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "mounting a small tmpfs is not permitted here";
  const test::SampleTile tile(50000);
  Executor executor(1);
  std::string message;
  try {
    const std::unique_ptr<Sink> sink = make_npz_sink(folder / "a.npz", tile.layout, Compression::none, executor);
    sink->write(tile.rows(0, 50000));
    sink->finish();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
    message = error.what();
  }
  const bool clean = std::filesystem::is_empty(folder.path());
  ::umount(folder.path().c_str());
  EXPECT_NE(message.find("a.npz"), std::string::npos) << message;
  EXPECT_NE(message.find("free space"), std::string::npos) << message;
  EXPECT_TRUE(clean);
}
