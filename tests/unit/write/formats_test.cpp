#include "write/formats.hpp"

#include <gtest/gtest.h>

namespace tuile::write {
namespace {

TEST(Formats, EveryFormatThatIsKnownCanBeWrittenAndChecked) {
  for (const OutputFormat& format : output_formats()) {
    const Format& row = format_of(format);
    EXPECT_EQ(row.name, format.name);
    EXPECT_NE(row.make_sink, nullptr);
    EXPECT_NE(row.check, nullptr);
    EXPECT_EQ(format_of_path("folder/a" + std::string(format.extension)), &format);
  }
  EXPECT_EQ(format_of_path("a.json"), nullptr);
  EXPECT_EQ(format_of_path("npz"), nullptr);
  EXPECT_EQ(format_of_path("a.NPZ"), nullptr);  // no file of ours
}

}  // namespace
}  // namespace tuile::write
