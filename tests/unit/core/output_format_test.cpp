#include "tuile/core/output_format.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tuile/core/error.hpp"

namespace tuile {
namespace {

TEST(OutputFormat, NamesAndExtensionsAreUnique) {
  std::set<std::string_view> names, extensions;
  for (const OutputFormat& format : output_formats()) {
    EXPECT_TRUE(names.insert(format.name).second) << format.name;
    EXPECT_TRUE(extensions.insert(format.extension).second) << format.extension;
    EXPECT_TRUE(format.extension.starts_with(".")) << format.extension;
    EXPECT_FALSE(format.what.empty());
    EXPECT_EQ(find_output_format(format.name), &format);
  }
  EXPECT_EQ(find_output_format("doc"), nullptr);
  EXPECT_EQ(find_output_format(""), nullptr);
}

TEST(OutputFormat, RowsInTheTablesOrderAndOnce) {
  const auto rows = output_formats_of({"laz", "npz", "laz"});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0]->name, "npz");
  EXPECT_EQ(rows[1]->name, "laz");
  EXPECT_THROW(output_formats_of({"npz", "NPZ"}), InvalidArgument);
}

TEST(OutputFormat, WhoRepeatsThePoints) {
  EXPECT_FALSE(repeats_points({}));
  EXPECT_FALSE(repeats_points({"npz"}));
  EXPECT_TRUE(repeats_points({"laz"}));
  EXPECT_TRUE(repeats_points({"npz", "laz"}));
}

}  // namespace
}  // namespace tuile
