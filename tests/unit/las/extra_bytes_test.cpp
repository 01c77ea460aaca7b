#include "las/extra_bytes.hpp"

#include <gtest/gtest.h>

#include "las_files.hpp"

namespace tuile::las::test {
namespace {

TEST(ExtraBytes, SizesOfTheTypes) {
  EXPECT_EQ(extra_type_size(1), 1);
  EXPECT_EQ(extra_type_size(6), 4);
  EXPECT_EQ(extra_type_size(9), 4);
  EXPECT_EQ(extra_type_size(10), 8);
  EXPECT_EQ(extra_type_size(13), 4) << "two uint16";
  EXPECT_EQ(extra_type_size(30), 24) << "three doubles";
  EXPECT_EQ(extra_type_size(31), 0);
  EXPECT_EQ(extra_type_size(0), 0);
}

TEST(ExtraBytes, DescriptorsComeBackByteForByte) {
  Bytes payload(2 * 192);
  for (std::size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<std::byte>(i * 7);  // no-data, min, max, scale… and garbage behind the names
  set<std::uint8_t>(payload, 2, 9);
  std::memcpy(payload.data() + 4, "first\0", 6);
  std::memcpy(payload.data() + 160, "the first\0", 10);
  set<std::uint8_t>(payload, 194, 0);
  set<std::uint8_t>(payload, 195, 3);
  std::memcpy(payload.data() + 196, "second\0", 7);
  std::vector<std::string> warnings;
  const Vlr record{.user_id = "LASF_Spec", .record_id = 4, .description = "", .data = payload};
  const auto dimensions = parse_extra_dimensions({&record, 1}, 7, warnings);
  ASSERT_EQ(dimensions.size(), 2U);
  EXPECT_TRUE(warnings.empty());
  EXPECT_EQ(dimensions[0].name, "first");
  EXPECT_EQ(dimensions[0].description, "the first");
  EXPECT_EQ(dimensions[0].size, 4);
  EXPECT_EQ(dimensions[1].offset, 4);
  EXPECT_EQ(dimensions[1].size, 3);
  EXPECT_EQ(serialize_extra_dimensions(dimensions), payload);
}

TEST(ExtraBytes, ADimensionPastTheRecordIsLeftOutWithAWarning) {
  Bytes payload(192);
  set<std::uint8_t>(payload, 2, 10);
  std::vector<std::string> warnings;
  const Vlr record{.user_id = "LASF_Spec", .record_id = 4, .description = "", .data = payload};
  EXPECT_TRUE(parse_extra_dimensions({&record, 1}, 7, warnings).empty());
  EXPECT_EQ(warnings.size(), 1U);
  EXPECT_EQ(parse_extra_dimensions({&record, 1}, 8, warnings).size(), 1U);
}

TEST(ExtraBytes, OfARealFile) {
  const auto path = test_data("formats/laspy__extrabytes.las");
  if (!path) GTEST_SKIP() << "no test data";
  const FileInfo info = info_of(read_file(*path));
  ASSERT_EQ(info.extra_dimensions.size(), 5U);
  EXPECT_EQ(info.extra_dimensions[0].name, "Colors");
  EXPECT_EQ(info.extra_dimensions[0].size, 6);
  std::size_t total = 0;
  for (const ExtraDimension& dimension : info.extra_dimensions) total += dimension.size;
  EXPECT_EQ(total, 27U);
}

}  // namespace
}  // namespace tuile::las::test
