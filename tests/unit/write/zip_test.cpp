// ZIP records beyond 4 GiB, on a sparse file; the archive and array readers against damage.
#include "write/npz/zip.hpp"

#include <sys/mman.h>
#include <zlib.h>

#include "tuile/core/error.hpp"
#include "tuile/core/file/descriptor.hpp"
#include "write/npz/npy.hpp"
#include "write/npz/npz_reader.hpp"
#include "write_support.hpp"

using namespace tuile;
using namespace tuile::write;
using tuile::test::TemporaryFolder;

namespace {

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span<const char>(text)); }

std::uint32_t crc(const std::string& text) {
  return static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

/// A file in memory: thousands of small changes to one on disk would wait for its journal.
class MemoryFile {
 public:
  void fill(const std::string& content) const {
    if (::ftruncate(descriptor_.get(), 0) != 0 ||
        ::pwrite(descriptor_.get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size()))
      throw std::runtime_error("cannot fill a file in memory");
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_.get()); }

 private:
  Descriptor descriptor_{::memfd_create("npz", MFD_CLOEXEC)};
};

constexpr const char* large_reader = R"(
import sys
try:
    import numpy as np
except ImportError:
    sys.exit(77)
import zipfile
archive = zipfile.ZipFile(sys.argv[1])
large, small = archive.infolist()
assert (large.filename, large.file_size, large.compress_size) == ('large.npy', 128 + 5 * 2**30, 128 + 5 * 2**30), large
assert small.filename == 'small.npy' and small.header_offset > 2**32
with archive.open(large) as file:
    assert np.lib.format.read_magic(file) == (1, 0)
    assert np.lib.format.read_array_header_1_0(file) == ((5 * 2**30,), False, np.dtype(np.uint8))
    assert file.read(4) == b'\1\0\0\0'
assert np.load(sys.argv[1])['small'].tolist() == [7, 8, 9]
)";

}  // namespace

TEST(Zip, MembersBeyond4GiB) {
  const TemporaryFolder folder;
  constexpr std::uint64_t size = 5ULL << 30;
  const std::string large_header = npy_header({"|u1", {size}}), small = npy_header({"|u1", {3}}) + "\7\10\11";
  ASSERT_EQ(large_header.size(), 128U);
  ZipEntry first{"large.npy", 0, large_header.size() + size, large_header.size() + size, false, 0, 0};
  ZipEntry second{"small.npy", crc(small), small.size(), small.size(), false, 0, 0};
  AtomicFile file(folder / "a.npz");
  const std::uint64_t first_data = zip_place(first, 0, 64);
  const std::uint64_t second_data = zip_place(second, first_data + first.size, 64);
  EXPECT_EQ(first_data % 64, 0U);
  EXPECT_EQ(second_data % 64, 0U);
  file.write_at(0, bytes(zip_local_header(first)));
  file.write_at(first_data, bytes(large_header + "\1"));
  file.write_at(second.header_offset, bytes(zip_local_header(second)));
  file.write_at(second_data, bytes(small));
  const std::uint64_t directory = second_data + small.size();
  std::string end = zip_directory_record(first) + zip_directory_record(second);
  end += zip_end(2, directory, end.size());
  file.write_at(directory, bytes(end));

  const std::vector<NpzArray> arrays = read_npz_headers(file.temporary_path());
  ASSERT_EQ(arrays.size(), 2U);
  EXPECT_EQ(arrays[0].header, (NpyHeader{"|u1", {size}}));
  EXPECT_EQ(arrays[1].name, "small");
  const int status = test::run_python(large_reader, file.temporary_path().string());
  if (status == 77) GTEST_SKIP() << "python3-numpy is not installed";
  EXPECT_EQ(status, 0);
}

TEST(Npy, HeaderReadsBack) {
  for (const NpyHeader& header :
       {NpyHeader{"<f4", {0, 3}}, NpyHeader{"<U12", {5}}, NpyHeader{"<f8", {}}, NpyHeader{"|b1", {123456789012, 2, 1}}}) {
    const std::string text = npy_header(header);
    std::size_t length = 0;
    EXPECT_EQ(parse_npy_header(bytes(text), length), header);
    EXPECT_EQ(length, text.size());
    EXPECT_EQ(length % 64, 0U);
    for (std::size_t cut = 0; cut < text.size(); ++cut) EXPECT_FALSE(parse_npy_header(bytes(text.substr(0, cut)), length)) << cut;
  }
}

TEST(Npy, OddHeadersAreRefused) {
  const auto parse = [](const std::string& dict) {
    std::size_t length = 0;
    const std::string text = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(dict.size()) + '\0' + dict;
    return parse_npy_header(bytes(text), length);
  };
  EXPECT_TRUE(parse("{'shape':(3,),'fortran_order':False,'descr':'<f4'}\n"));
  for (const char* dict :
       {"", "{}", "{'descr': '<f4', 'fortran_order': True, 'shape': (3,), }", "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'x': (1,)}", "{'descr': '<f4', 'descr': '<f4', 'shape': (3,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }", "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), } x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "{'descr': [('a', '<f4')], 'shape': (3,)}"})
    EXPECT_FALSE(parse(dict)) << dict;
}

TEST(NpzReader, DamageGivesErrorsOnly) {
  const TemporaryFolder folder;
  const test::SampleTile tile(50);
  Executor executor(1);
  for (const Compression compression : {Compression::none, Compression::deflate}) {
    const std::unique_ptr<Sink> sink = make_npz_sink(folder / "a.npz", tile.layout, compression, executor);
    sink->write(tile.rows(0, 50));
    sink->finish();
    EXPECT_EQ(read_npz_headers(folder / "a.npz").size(), 6U);
    const std::string sound = test::read_file(folder / "a.npz");
    const MemoryFile file;
    for (std::size_t cut = 0; cut < sound.size(); ++cut) {
      file.fill(sound.substr(0, cut));
      EXPECT_THROW(read_npz_headers(file.path()), CorruptData) << cut;
    }
    std::mt19937 random(1);
    std::size_t refused = 0;
    for (int trial = 0; trial < 20000; ++trial) {
      std::string damaged = sound;
      for (int flip = 0; flip < 3; ++flip) damaged[random() % damaged.size()] = static_cast<char>(random());
      file.fill(damaged);
      try {
        read_npz_headers(file.path());
      } catch (const CorruptData&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, 1000U);
  }
}
