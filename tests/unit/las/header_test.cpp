#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "las_files.hpp"

namespace tuile::las::test {
namespace {

std::string message_of(const Bytes& bytes) {
  try {
    info_of(bytes);
  } catch (const Error& error) {
    return std::string(to_string(error.kind())) + ": " + error.what();
  }
  return "accepted";
}

void expect_error(const Bytes& bytes, const std::string& kind, const std::string& part) {
  const std::string message = message_of(bytes);
  EXPECT_EQ(message.substr(0, kind.size()), kind) << message;
  EXPECT_NE(message.find(part), std::string::npos) << message << "\nlacks: " << part;
}

TEST(Header, ReadsAPlainFile) {
  const FileInfo info = info_of(small_las(3));
  EXPECT_EQ(info.header.version_minor, 2);
  EXPECT_EQ(info.header.point_count, 3U);
  EXPECT_EQ(info.header.point_format, 0);
  EXPECT_FALSE(info.header.compressed);
  EXPECT_EQ(info.header.points_by_return[0], 3U);
  EXPECT_DOUBLE_EQ(info.header.max[1], 0.04);
  EXPECT_EQ(info.bounds(), (Bounds{0, 0, 0.02, 0.04}));
  EXPECT_FALSE(info.crs.known());
  EXPECT_TRUE(info.warnings.empty());
}

TEST(Header, RefusesWhatIsNoLasFile) {
  expect_error({}, "corrupt", "no bytes");
  Bytes bytes = small_las(1);
  bytes[0] = std::byte{'X'};
  expect_error(bytes, "corrupt", "LASF");
  expect_error(Bytes(1000, std::byte{0}), "corrupt", "LASF");
}

TEST(Header, RefusesAnUnknownVersionByName) {
  Bytes bytes = small_las(1);
  set<std::uint8_t>(bytes, 25, 5);
  expect_error(bytes, "unsupported", "1.5");
  set<std::uint8_t>(bytes, 24, 2);
  expect_error(bytes, "unsupported", "2.5");
}

TEST(Header, RefusesAnUnknownPointFormat) {
  Bytes bytes = small_las(1);
  set<std::uint8_t>(bytes, 104, 11);
  expect_error(bytes, "unsupported", "point format 11");
}

TEST(Header, RefusesLayoutsOutsideTheFile) {
  Bytes bytes = small_las(1);
  set<std::uint16_t>(bytes, 94, 226);
  expect_error(bytes, "corrupt", "226 bytes");
  bytes = small_las(1);
  set<std::uint16_t>(bytes, 94, 60000);
  expect_error(bytes, "corrupt", "60000 bytes");
  bytes = small_las(1);
  set<std::uint32_t>(bytes, 96, 226);
  expect_error(bytes, "corrupt", "byte 226");
  bytes = small_las(1);
  set<std::uint32_t>(bytes, 96, 4'000'000'000U);
  expect_error(bytes, "corrupt", "4000000000");
  bytes = small_las(1);
  set<std::uint16_t>(bytes, 105, 19);
  expect_error(bytes, "corrupt", "19 bytes");
  bytes = small_las(1);
  set<std::uint32_t>(bytes, 100, 1);  // a VLR where there is no room for one
  expect_error(bytes, "corrupt", "VLR");
}

TEST(Header, RefusesACountThatTheFileCannotHold) {
  Bytes bytes = small_las(5);
  set<std::uint32_t>(bytes, 107, 6);
  expect_error(bytes, "corrupt", "6 points but the file holds only 5");
}

TEST(Header, RefusesScalesOffsetsAndBoundsThatAreNoNumbers) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double bad : {0.0, -0.01, nan, std::numeric_limits<double>::infinity()}) {
    Bytes bytes = small_las(2);
    set<double>(bytes, 139, bad);
    expect_error(bytes, "corrupt", "scale of y");
  }
  Bytes bytes = small_las(2);
  set<double>(bytes, 155, nan);
  expect_error(bytes, "corrupt", "offset of x");
  bytes = small_las(2);
  set<double>(bytes, 179, nan);
  expect_error(bytes, "corrupt", "bounds of x");
  bytes = small_las(2);
  set<double>(bytes, 211, -1.0);
  set<double>(bytes, 219, 1.0);
  expect_error(bytes, "corrupt", "bounds of z");
}

TEST(Header, AcceptsAFileWithoutPoints) {
  Bytes bytes = small_las(0);
  set<double>(bytes, 179, std::numeric_limits<double>::quiet_NaN());  // bounds of nothing say nothing
  const FileInfo info = info_of(bytes);
  EXPECT_TRUE(info.bounds().empty());
  const DecodeResult result = decode_all(bytes, info, 2);
  EXPECT_EQ(result.points.size(), 0U);
  EXPECT_EQ(result.points_decoded, 0U);
}

TEST(Header, DecodesASinglePoint) {
  const Bytes bytes = small_las(1);
  const DecodeResult result = decode_all(bytes, info_of(bytes), 1);
  ASSERT_EQ(result.points.size(), 1U);
  EXPECT_EQ(result.points.classification[0], 2);
  EXPECT_EQ(result.points.return_number[0], 1);
}

TEST(Header, TruncatedAnywhereItIsAnError) {
  const Bytes bytes = small_las(50);
  for (std::size_t size = 0; size < bytes.size(); size += 7) {
    const Bytes part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THROW(info_of(part), CorruptData) << size;
  }
}

TEST(Header, ThePointCountOf64BitsWinsWithAWarning) {
  Bytes bytes = small_las(4);
  // The same file as LAS 1.4: a longer header in front of the points.
  bytes.insert(bytes.begin() + 227, 148, std::byte{0});
  set<std::uint8_t>(bytes, 25, 4);
  set<std::uint16_t>(bytes, 94, 375);
  set<std::uint32_t>(bytes, 96, 375);
  FileInfo info = info_of(bytes);
  EXPECT_EQ(info.header.point_count, 4U);
  ASSERT_EQ(info.warnings.size(), 1U);
  EXPECT_NE(info.warnings[0].find("32-bit count, 4"), std::string::npos) << info.warnings[0];
  set<std::uint64_t>(bytes, 247, 3);
  info = info_of(bytes);
  EXPECT_EQ(info.header.point_count, 3U);
  EXPECT_EQ(info.warnings.size(), 1U);
}

TEST(Header, EvlrsOutsideTheFileAreAnError) {
  Bytes bytes = small_las(4);
  bytes.insert(bytes.begin() + 227, 148, std::byte{0});
  set<std::uint8_t>(bytes, 25, 4);
  set<std::uint16_t>(bytes, 94, 375);
  set<std::uint32_t>(bytes, 96, 375);
  set<std::uint64_t>(bytes, 247, 4);
  set<std::uint64_t>(bytes, 235, bytes.size());
  set<std::uint32_t>(bytes, 243, 1);
  expect_error(bytes, "corrupt", "EVLR 1 of 1");
  bytes.resize(bytes.size() + 60);
  EXPECT_EQ(info_of(bytes).evlrs.size(), 1U);
  set<std::uint64_t>(bytes, bytes.size() - 40, std::numeric_limits<std::uint64_t>::max());
  expect_error(bytes, "corrupt", "EVLR 1 of 1");
}

TEST(Header, TheGridIsTheFinestScaleButNotBelowAMillimetre) {
  Bytes bytes = small_las(2);
  set<double>(bytes, 147, 0.001);
  EXPECT_DOUBLE_EQ(info_of(bytes).grid_scale(), 0.001);
  set<double>(bytes, 147, 0.00025);
  EXPECT_DOUBLE_EQ(info_of(bytes).grid_scale(), 0.001);
}

TEST(Header, TheGridOriginIsRoundedDownAlsoBelowZero) {
  FileInfo info;
  info.header.point_count = 1;
  info.header.min = {770500.01, -0.01, -10.0};
  info.header.max = {770600, 1, 0};
  const Grid grid = info.grid();
  EXPECT_EQ(grid.origin[0], 77'050'000);
  EXPECT_EQ(grid.origin[1], -1000);
  EXPECT_EQ(grid.origin[2], -1000);
}

}  // namespace
}  // namespace tuile::las::test
