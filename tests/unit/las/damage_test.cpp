#include <gtest/gtest.h>

#include <random>

#include "las_files.hpp"

namespace tuile::las::test {
namespace {

/// Reads, decodes and reads the records of whatever the bytes are. True where all of it went well; any error but a tuile::Error escapes.
bool survives(const Bytes& bytes, Executor& executor) {
  try {
    const FileInfo info = info_of(bytes);
    DecodeOptions options;
    options.fields = info.fields();
    decode(bytes, info, options, executor);
    if (info.copc) {
      options.bbox = info.bounds();
      decode_copc_nodes(*source::from_memory(bytes), info, options, executor);
    }
    // A damaged count may ask for more than a test should hold.
    if (info.header.point_count < 1'000'000) read_records(bytes, info);
    return true;
  } catch (const Error&) {
    return false;
  }
}

const char* const small_files[] = {"formats/laspy__simple.laz",
                                   "formats/loaders.gl__pdrf6-1.4.laz",
                                   "formats/loaders.gl__pdrf4-1.3.laz",
                                   "formats/loaders.gl__pdrf10-1.4.laz",
                                   "formats/laspy__1_4_w_evlr.laz",
                                   "formats/laspy__extra.laz",
                                   "copc/laspy__simple_with_page.copc.laz",
                                   "copc/PDAL__autzen_clip_native.copc.laz",
                                   "formats/LASzip__test.laz",
                                   "lidarhd_more/pdal-ign-plugin__68_2.laz",
                                   "formats/laz-perf__1815.laz"};

TEST(Damage, EveryTruncationOfALazFileIsAnError) {
  int seen = 0;
  Executor executor(1);
  for (const char* name : small_files) {
    const auto path = test_data(name);
    if (!path) continue;
    const Bytes bytes = read_file(*path);
    const FileInfo info = info_of(bytes);
    // What lies behind the points (chunk table aside) may be missing without harm to pointwise files.
    const std::size_t step = 97;
    for (std::size_t size = 0; size < bytes.size(); size += step) {
      const Bytes part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(survives(part, executor)) << name << " cut at " << size << " of " << bytes.size();
    }
    ++seen;
  }
  if (seen == 0) GTEST_SKIP() << "no test data";
}

TEST(Damage, MutationsNeverCrash) {
  int seen = 0, refused = 0, total = 0;
  Executor executor(1);
  for (const char* name : small_files) {
    const auto path = test_data(name);
    if (!path) continue;
    const Bytes good = read_file(*path);
    ASSERT_GT(good.size(), 400U);
    std::mt19937 random(11);
    for (int round = 0; round < 250; ++round) {
      Bytes bytes = good;
      // A third each in the header and its records, in the points, anywhere.
      const std::size_t head = std::min<std::size_t>(good.size(), at<std::uint32_t>(good, 96));
      const std::size_t begin = round % 3 == 1 ? head : 0;
      const std::size_t end = round % 3 == 0 ? head : good.size();
      const int flips = 1 + static_cast<int>(random() % 4);
      for (int flip = 0; flip < flips; ++flip) {
        const std::size_t place = begin + random() % (end - begin);
        bytes[place] = round % 2 == 0 ? static_cast<std::byte>(random()) : bytes[place] ^ static_cast<std::byte>(1U << (random() % 8));
      }
      refused += survives(bytes, executor) ? 0 : 1;
      ++total;
    }
    ++seen;
  }
  if (seen == 0) GTEST_SKIP() << "no test data";
  EXPECT_GT(refused, total / 10);
}

TEST(Damage, ADamagedChunkIsNamed) {
  const auto path = test_data("lidarhd/test_data_77060_627755_LA93_IGN69.laz");
  if (!path) GTEST_SKIP() << "no test data";
  Bytes bytes = read_file(*path);
  const FileInfo info = info_of(bytes);
  // The head of the second chunk: the number of its points, behind the table's place, the first chunk and a whole record.
  std::size_t first = info.header.point_data_offset + 8;
  std::size_t layers = first + info.header.record_length + 4;
  std::size_t size = info.header.record_length + 4;
  for (int layer = 0; layer < 11; ++layer) size += 4 + at<std::uint32_t>(bytes, layers + 4 * static_cast<std::size_t>(layer));
  const std::size_t second = first + size;
  ASSERT_EQ(at<std::uint32_t>(bytes, second + info.header.record_length), info.header.point_count - 50'000);
  set<std::uint32_t>(bytes, second + info.header.record_length, 7);
  try {
    decode_all(bytes, info, 2);
    FAIL() << "accepted";
  } catch (const CorruptData& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("chunk 2 of 2 (points 50000 to 83517)"), std::string::npos) << message;
  }
}

TEST(Damage, LazsOwnBrokenFilesAreClearErrors) {
  const struct {
    const char* file;
    const char* part;
  } cases[] = {{"odd/LASzip__broken_coder.laz", "entropy coder 15"},
               {"odd/LASzip__broken_compressor.laz", "compressor 16"},
               {"odd/LASzip__broken_size.laz", "item 1 of the LASzip record"},
               {"odd/LASzip__broken_type.laz", "item 2 of the LASzip record"},
               {"odd/PDAL__1.2-no-points.las", "1065 points but the file holds only 0"}};
  for (const auto& expected : cases) {
    const auto path = test_data(expected.file);
    if (!path) GTEST_SKIP() << "no test data";
    try {
      info_of(read_file(*path));
      ADD_FAILURE() << expected.file << " was accepted";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(expected.part), std::string::npos) << expected.file << ": " << error.what();
    }
  }
}

TEST(Damage, CompressedPointsWithoutALaszipRecord) {
  const auto path = test_data("formats/laspy__simple.laz");
  if (!path) GTEST_SKIP() << "no test data";
  Bytes bytes = read_file(*path);
  const std::size_t user = at<std::uint16_t>(bytes, 94) + 2U;
  ASSERT_EQ(std::memcmp(bytes.data() + user, "laszip encoded", 14), 0);
  bytes[user] = std::byte{'X'};
  EXPECT_THROW(info_of(bytes), CorruptData);
}

TEST(Damage, APointCountBeyondAllReason) {
  const auto path = test_data("formats/loaders.gl__pdrf6-1.4.laz");
  if (!path) GTEST_SKIP() << "no test data";
  Bytes bytes = read_file(*path);
  set<std::uint64_t>(bytes, 247, std::uint64_t{1} << 62);
  EXPECT_THROW(info_of(bytes), CorruptData);
}

/// A writer that was interrupted leaves no chunk table: the points that are there are still readable.
TEST(Damage, AMissingChunkTableIsDoneWithout) {
  for (const char* name : {"formats/loaders.gl__pdrf6-1.4.laz", "formats/loaders.gl__pdrf4-1.3.laz"}) {
    const auto path = test_data(name);
    if (!path) GTEST_SKIP() << "no test data";
    Bytes bytes = read_file(*path);
    const FileInfo info = info_of(bytes);
    const Bytes records = read_records(bytes, info);
    const std::size_t start = info.header.point_data_offset;
    bytes.resize(at<std::uint64_t>(bytes, start));
    set<std::uint64_t>(bytes, start, start);
    if (info.header.version_minor >= 4) set<std::uint32_t>(bytes, 243, 0);  // no EVLRs either
    EXPECT_EQ(read_records(bytes, info_of(bytes)), records) << name;
  }
}

}  // namespace
}  // namespace tuile::las::test
