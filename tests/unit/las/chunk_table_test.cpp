#include "las/chunk_table.hpp"

#include <gtest/gtest.h>

#include <random>

#include "las/range_decoder.hpp"
#include "las/range_encoder.hpp"
#include "las_files.hpp"

namespace tuile::las::test {
namespace {

TEST(RangeCoder, IntegersComeBack) {
  std::mt19937 random(7);
  std::vector<std::uint32_t> values{0, 1, 2, 0xFFFFFFFFU, 0x80000000U, 0x7FFFFFFFU, 0x80000001U, 5, 5, 5};
  for (int i = 0; i < 20'000; ++i) values.push_back(static_cast<std::uint32_t>(random()) >> (random() % 32));
  RangeEncoder encoder;
  IntegerEncoder out(encoder, 2);
  for (std::size_t i = 0; i < values.size(); ++i) out.put(i > 0 ? values[i - 1] : 0, values[i], i % 2);
  const Bytes bytes = encoder.finish();
  RangeDecoder decoder(bytes);
  IntegerDecoder in(decoder, 2);
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(in.next(i > 0 ? values[i - 1] : 0, i % 2), values[i]) << i;
}

TEST(RangeCoder, DamagedBytesEndInAnErrorNotInALoop) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    Bytes bytes(random() % 64);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    EXPECT_THROW(
        {
          RangeDecoder decoder(bytes);
          IntegerDecoder in(decoder, 2);
          for (int i = 0; i < 1'000'000; ++i) in.next(0, 1);
        },
        CorruptData);
  }
}

/// A made-up file: chunks of the given sizes behind a header, and the table that our encoder writes.
TEST(ChunkTable, FixedChunksComeBack) {
  std::mt19937 random(1);
  Header header;
  header.point_data_offset = 500;
  header.point_format = 6;
  header.record_length = 30;
  header.point_count = 50'000ULL * 99 + 17;
  LaszipRecord record;
  record.info.compressor = 3;
  record.info.chunk_size = 50'000;
  std::vector<std::uint32_t> sizes;
  std::uint64_t total = 0;
  for (int i = 0; i < 100; ++i) {
    sizes.push_back(30 + static_cast<std::uint32_t>(random() % 1000));
    total += sizes.back();
  }
  Bytes file(508 + total);
  set<std::int64_t>(file, 500, static_cast<std::int64_t>(file.size()));
  const Bytes table = serialize_chunk_table(sizes);
  file.insert(file.end(), table.begin(), table.end());

  const std::vector<Chunk> chunks = read_chunks(file, header, record);
  ASSERT_EQ(chunks.size(), 100U);
  std::uint64_t offset = 508;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    EXPECT_EQ(chunks[i].offset, offset);
    EXPECT_EQ(chunks[i].size, sizes[i]);
    EXPECT_EQ(chunks[i].first_point, 50'000U * i);
    EXPECT_EQ(chunks[i].points, i == 99 ? 17U : 50'000U);
    offset += sizes[i];
  }

  header.point_count += 50'000;
  EXPECT_THROW(read_chunks(file, header, record), CorruptData) << "one chunk too few";
  header.point_count -= 50'000;
  set<std::uint32_t>(file, 508 + total + 4, 0xFFFFFFFFU);
  EXPECT_THROW(read_chunks(file, header, record), CorruptData) << "a number of chunks that lies";
  set<std::uint32_t>(file, 508 + total + 4, 100);
  set<std::uint32_t>(file, 508 + total, 1);
  EXPECT_THROW(read_chunks(file, header, record), CorruptData) << "an unknown version";
  set<std::uint32_t>(file, 508 + total, 0);
  for (const std::int64_t place :
       {std::int64_t{-2}, std::int64_t{0}, std::int64_t{501}, static_cast<std::int64_t>(file.size() - 3), INT64_MAX}) {
    set<std::int64_t>(file, 500, place);
    EXPECT_THROW(read_chunks(file, header, record), CorruptData) << place;
  }
}

/// LASzip's own tables, fixed and variable: chunks follow each other without a gap and end at the table.
TEST(ChunkTable, ThoseOfRealFilesAddUp) {
  int seen = 0;
  for (const char* folder : {"formats", "lidarhd", "copc", "ahn3"}) {
    for (const auto& path : readable_files(folder)) {
      const Bytes bytes = read_file(path);
      const FileInfo info = info_of(bytes);
      if (!info.header.compressed || info.laszip->compressor == 1 || info.header.point_count == 0) continue;
      const std::vector<Chunk> chunks = read_chunks(bytes, info.header, require_laszip_record(info.header, info.vlrs));
      std::uint64_t offset = info.header.point_data_offset + 8, points = 0;
      for (const Chunk& chunk : chunks) {
        EXPECT_EQ(chunk.offset, offset) << path;
        EXPECT_EQ(chunk.first_point, points) << path;
        offset += chunk.size;
        points += chunk.points;
      }
      const auto table = at<std::int64_t>(bytes, info.header.point_data_offset);
      EXPECT_EQ(offset, static_cast<std::uint64_t>(table == -1 ? at<std::int64_t>(bytes, bytes.size() - 8) : table)) << path;
      EXPECT_EQ(points, info.header.point_count) << path;
      ++seen;
    }
  }
  if (seen == 0) GTEST_SKIP() << "no test data";
}

}  // namespace
}  // namespace tuile::las::test
