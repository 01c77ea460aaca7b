#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>
#include <utility>

#include "tuile/core/buffer.hpp"
#include "tuile/core/error.hpp"

namespace tuile {
namespace {

TEST(BufferInFile, HoldsItsElementsAndLeavesNothing) {
  const std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / "tuile_scratch_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  {
    auto buffer = Buffer<std::uint32_t>::in_file(folder.string(), 100'000);
    ASSERT_EQ(buffer.size(), 100'000U);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % Buffer<std::uint32_t>::alignment, 0U);
    std::iota(buffer.begin(), buffer.end(), 7U);
    Buffer<std::uint32_t> moved(std::move(buffer));
    Buffer<std::uint32_t> other(10, 3U);
    other = std::move(moved);  // swaps: each frees its own kind of memory
    other.shrink(99'000);
    EXPECT_EQ(other[0], 7U);
    EXPECT_EQ(other[98'999], 99'006U);
    EXPECT_TRUE(std::filesystem::is_empty(folder));
  }
  EXPECT_TRUE(Buffer<float>::in_file(folder.string(), 0).empty());
  std::filesystem::remove_all(folder);
}

TEST(BufferInFile, ErrorsNameTheFolder) {
  try {
    (void)Buffer<float>::in_file("/nowhere/at/all", 1000);
    FAIL() << "an error is expected";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/nowhere/at/all"), std::string::npos) << error.what();
  }
  // More than any disk has.
  EXPECT_THROW((void)Buffer<float>::in_file(::testing::TempDir(), std::size_t{1} << 58), IoError);
}

}  // namespace
}  // namespace tuile
