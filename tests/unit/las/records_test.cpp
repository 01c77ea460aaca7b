#include "las/records.hpp"

#include <gtest/gtest.h>

#include "las_files.hpp"

namespace tuile::las::test {
namespace {

bool is_container(const Vlr& record) { return record.user_id == "laszip encoded" || record.user_id == "copc"; }

std::vector<Vlr> kept(const std::vector<Vlr>& records) {
  std::vector<Vlr> out;
  for (const Vlr& record : records) {
    const bool extra_bytes = record.user_id == "LASF_Spec" && record.record_id == 4;
    if (!is_container(record) && !extra_bytes) out.push_back(record);
  }
  return out;
}

void expect_same_records(const std::vector<Vlr>& a, const std::vector<Vlr>& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].reserved, b[i].reserved) << what;
    EXPECT_EQ(a[i].user_id, b[i].user_id) << what;
    EXPECT_EQ(a[i].record_id, b[i].record_id) << what;
    EXPECT_EQ(a[i].description, b[i].description) << what;
    EXPECT_EQ(a[i].data, b[i].data) << what;
  }
}

void write_all(const std::string& path, const FileInfo& layout, const Bytes& records, Executor* executor = nullptr) {
  RecordWriter writer(path, layout, executor);
  // In uneven parts, so that chunks are filled over several calls.
  const std::size_t part = std::size_t{33'333} * layout.header.record_length;
  for (std::size_t from = 0; from < records.size(); from += part) {
    writer.write(std::span(records).subspan(from, std::min(part, records.size() - from)));
  }
  writer.finish();
}

void expect_round_trip(const std::filesystem::path& original, bool compressed, const ScratchFolder& folder) {
  const std::string name = original.filename().string() + (compressed ? " as LAZ" : " as LAS");
  const Bytes bytes = read_file(original);
  FileInfo layout = info_of(bytes);
  const Bytes records = read_records(bytes, layout);
  layout.header.compressed = compressed;
  const std::string path = folder / "written";
  write_all(path, layout, records);
  const Bytes written = read_file(path);
  const FileInfo info = info_of(written);
  EXPECT_EQ(read_records(written, info), records) << name;
  EXPECT_TRUE(!compressed || info.header.point_count == 0 || laszip_records(path, info) == records) << name << " as LASzip reads it";
  expect_same_records(kept(info.vlrs), kept(layout.vlrs), name);
  expect_same_records(kept(info.evlrs), kept(layout.evlrs), name);
  ASSERT_EQ(info.extra_dimensions.size(), layout.extra_dimensions.size()) << name;
  for (std::size_t i = 0; i < info.extra_dimensions.size(); ++i) {
    EXPECT_EQ(info.extra_dimensions[i].descriptor, layout.extra_dimensions[i].descriptor) << name;
  }
  EXPECT_EQ(info.header.compressed, compressed) << name;
  EXPECT_EQ(info.header.point_count, layout.header.point_count) << name;
  EXPECT_EQ(info.header.scale, layout.header.scale) << name;
  EXPECT_EQ(info.header.offset, layout.header.offset) << name;
  EXPECT_EQ(info.header.point_format, layout.header.point_format) << name;
  EXPECT_EQ(info.header.system_identifier, layout.header.system_identifier) << name;
  EXPECT_EQ(info.header.generating_software, layout.header.generating_software) << name;
  EXPECT_EQ(info.header.creation_day, layout.header.creation_day) << name;
  EXPECT_EQ(info.header.creation_year, layout.header.creation_year) << name;
  EXPECT_EQ(info.header.file_source_id, layout.header.file_source_id) << name;
  EXPECT_EQ(info.header.global_encoding, layout.header.global_encoding) << name;
  EXPECT_EQ(info.header.project_id, layout.header.project_id) << name;
  EXPECT_EQ(info.crs.epsg, layout.crs.epsg) << name;
  EXPECT_FALSE(info.copc) << name;
}

TEST(Records, EveryRealFileIsWrittenAndReadBackEqual) {
  const ScratchFolder folder;
  int seen = 0;
  for (const char* name : {"formats", "lidarhd", "copc", "odd"}) {
    for (const auto& path : readable_files(name, 700'000)) {
      expect_round_trip(path, true, folder);
      expect_round_trip(path, false, folder);
      ++seen;
    }
  }
  if (seen == 0) GTEST_SKIP() << "no test data";
}

TEST(Records, HeaderCountsAndBoundsComeFromThePoints) {
  const ScratchFolder folder;
  Bytes bytes = small_las(10);
  const FileInfo layout = info_of(bytes);
  FileInfo wrong = layout;
  wrong.header.point_count = 99;
  wrong.header.min = {-5, -5, -5};
  wrong.header.points_by_return[0] = 7;
  write_all(folder / "a.las", wrong, read_records(bytes, layout));
  const FileInfo info = info_of(read_file(folder / "a.las"));
  EXPECT_EQ(info.header.point_count, 10U);
  EXPECT_EQ(info.header.points_by_return[0], 10U);
  EXPECT_EQ(info.header.min, (std::array<double, 3>{0, 0, 0}));
  EXPECT_NEAR(info.header.max[2], 0.27, 1e-12);
  EXPECT_EQ(info.header.version_minor, 2);
}

TEST(Records, ExtraDimensionsDescribedInAnExtendedRecordAreReadAndWrittenOnce) {
  const ScratchFolder folder;
  Bytes descriptor(192);
  set<std::uint8_t>(descriptor, 2, 3);
  std::memcpy(descriptor.data() + 4, "amplitude", 9);
  FileInfo layout;
  layout.header.record_length = 32;
  // Under another number first, since the writer makes such a record a VLR.
  layout.evlrs.push_back({.user_id = "LASF_Spec", .record_id = 5, .description = "dimensions", .data = descriptor});
  layout.evlrs.push_back({.user_id = "other", .record_id = 4, .description = "stays", .data = Bytes(3)});
  write_all(folder / "a.las", layout, Bytes(5 * 32));
  Bytes bytes = read_file(folder / "a.las");
  set<std::uint16_t>(bytes, info_of(bytes).header.evlr_offset + 18, 4);
  const FileInfo read = info_of(bytes);
  ASSERT_EQ(read.extra_dimensions.size(), 1U);
  EXPECT_EQ(read.extra_dimensions[0].name, "amplitude");
  EXPECT_EQ(read.extra_dimensions[0].size, 2);
  write_all(folder / "b.las", read, read_records(bytes, read));
  const FileInfo again = info_of(read_file(folder / "b.las"));
  EXPECT_EQ(again.vlrs.size(), 1U);
  ASSERT_EQ(again.evlrs.size(), 1U);
  EXPECT_EQ(again.evlrs[0].user_id, "other");
  ASSERT_EQ(again.extra_dimensions.size(), 1U);
  EXPECT_EQ(again.extra_dimensions[0].descriptor, descriptor);
}

TEST(Records, ParallelCompressionGivesTheSameBytes) {
  const auto path = test_data("lidarhd/1_42.laz");
  if (!path) GTEST_SKIP() << "no test data";
  const ScratchFolder folder;
  const Bytes bytes = read_file(*path);
  const FileInfo layout = info_of(bytes);
  const Bytes records = read_records(bytes, layout);
  Executor executor(3);
  write_all(folder / "serial.laz", layout, records);
  write_all(folder / "parallel.laz", layout, records, &executor);
  const Bytes serial = read_file(folder / "serial.laz");
  EXPECT_TRUE(serial == read_file(folder / "parallel.laz"));
  EXPECT_TRUE(laszip_records(folder / "parallel.laz", layout) == records);
  EXPECT_EQ(decode_all(serial, info_of(serial), 2).points.size(), layout.header.point_count);
}

TEST(Records, ExtraDimensionsAreAddedAfterThoseOfTheFile) {
  const auto path = test_data("formats/laspy__extrabytes.las");
  if (!path) GTEST_SKIP() << "no test data";
  const ScratchFolder folder;
  const Bytes bytes = read_file(*path);
  const FileInfo original = info_of(bytes);
  const Bytes records = read_records(bytes, original);
  FileInfo layout = original;
  const std::uint16_t old_length = original.header.record_length;
  layout.header.record_length = static_cast<std::uint16_t>(old_length + 4);
  layout.header.compressed = true;
  ExtraDimension added;
  added.name = "planarity";
  added.description = "(l2 - l3) / l1";
  added.data_type = 9;
  added.offset = 27;
  added.size = 4;
  layout.extra_dimensions.push_back(added);
  Bytes longer(layout.header.point_count * layout.header.record_length);
  for (std::size_t i = 0; i < layout.header.point_count; ++i) {
    std::copy_n(records.begin() + static_cast<std::ptrdiff_t>(i * old_length), old_length,
                longer.begin() + static_cast<std::ptrdiff_t>(i * layout.header.record_length));
    set<float>(longer, i * layout.header.record_length + old_length, static_cast<float>(i) * 0.5F);
  }
  write_all(folder / "more.laz", layout, longer);
  const Bytes written = read_file(folder / "more.laz");
  const FileInfo info = info_of(written);
  ASSERT_EQ(info.extra_dimensions.size(), 6U);
  EXPECT_EQ(info.extra_dimensions[5].name, "planarity");
  EXPECT_EQ(info.extra_dimensions[5].description, "(l2 - l3) / l1");
  EXPECT_EQ(info.extra_dimensions[5].offset, 27);
  EXPECT_EQ(info.extra_dimensions[2].descriptor, original.extra_dimensions[2].descriptor);
  EXPECT_EQ(read_records(written, info), longer);
  EXPECT_TRUE(laszip_records(folder / "more.laz", info) == longer);
}

TEST(Records, AnEmptyLazFile) {
  const ScratchFolder folder;
  FileInfo layout;
  layout.header.compressed = true;
  write_all(folder / "empty.laz", layout, {});
  const Bytes written = read_file(folder / "empty.laz");
  const FileInfo info = info_of(written);
  EXPECT_EQ(info.header.point_count, 0U);
  EXPECT_EQ(decode_all(written, info, 2).points.size(), 0U);
}

TEST(Records, UnfinishedFilesAreNotLasFiles) {
  const ScratchFolder folder;
  FileInfo layout;
  {
    RecordWriter writer(folder / "half.las", layout);
    writer.write(Bytes(30 * 5));
  }
  EXPECT_THROW(info_of(read_file(folder / "half.las")), CorruptData);
}

TEST(Records, MisuseIsNamed) {
  const ScratchFolder folder;
  FileInfo layout;
  EXPECT_THROW(RecordWriter(folder / "no/such/folder.las", layout), NotFound);
  RecordWriter writer(folder / "a.las", layout);
  EXPECT_THROW(writer.write(Bytes(29)), InvalidArgument);
  writer.finish();
  EXPECT_THROW(writer.finish(), InvalidArgument);
  EXPECT_THROW(writer.write(Bytes(30)), InvalidArgument);
  layout.header.record_length = 29;
  EXPECT_THROW(RecordWriter(folder / "b.las", layout), InvalidArgument);
  layout.header.record_length = 30;
  layout.extra_dimensions.push_back({.name = "x", .description = "", .data_type = 9, .offset = 0, .size = 4, .descriptor = {}});
  EXPECT_THROW(RecordWriter(folder / "c.las", layout), InvalidArgument);
  layout.header.point_format = 12;
  EXPECT_THROW(RecordWriter(folder / "d.las", layout), Unsupported);
  const Bytes bytes = small_las(3);
  RecordReader reader(bytes, info_of(bytes));
  Bytes four(80);
  EXPECT_THROW(reader.read(four), CorruptData);
}

TEST(Records, AReaderThatFailedIsNotReadOn) {
  const ScratchFolder folder;
  FileInfo layout;
  layout.header.compressed = true;
  const Bytes records(150'000 * 30, std::byte{17});
  write_all(folder / "a.laz", layout, records);
  Bytes bytes = read_file(folder / "a.laz");
  const FileInfo info = info_of(bytes);
  // The number of points that the first chunk says of itself.
  set<std::uint32_t>(bytes, info.header.point_data_offset + 8 + 30, 7);
  RecordReader reader(bytes, info);
  Bytes out(10 * 30);
  EXPECT_THROW(reader.read(out), CorruptData);
  EXPECT_THROW(reader.read(out), InvalidArgument);
}

/// Too large to be kept whole, such chunks are decoded part by part.
TEST(Records, LargeChunksAreReadInParts) {
  const ScratchFolder folder;
  FileInfo layout;
  layout.header.compressed = true;
  const std::size_t length = layout.header.record_length = 30 + 1400;
  Bytes records(51'000 * length);
  for (std::size_t i = 0; i < 51'000; ++i) set(records, i * length, static_cast<std::int32_t>(i * i % 1000));
  write_all(folder / "a.laz", layout, records);
  const Bytes bytes = read_file(folder / "a.laz");
  RecordReader reader(bytes, info_of(bytes));
  Bytes parts(records.size());
  for (std::size_t from = 0, part = 40'000 * length; from < parts.size(); from += part, part = std::min(part, parts.size() - from))
    reader.read(std::span(parts).subspan(from, part));
  EXPECT_TRUE(parts == records);
}

TEST(Records, AFullDiskIsAnError) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  FileInfo layout;
  EXPECT_THROW(RecordWriter("/dev/full", layout), IoError);
}

}  // namespace
}  // namespace tuile::las::test
