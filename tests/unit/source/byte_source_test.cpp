#include "tuile/source/byte_source.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "tuile/core/error.hpp"

namespace tuile::source {
namespace {

class ByteSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "tuile-source-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    std::ofstream(folder_ / "ten") << "0123456789";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string file() const { return (folder_ / "ten").string(); }
  std::filesystem::path folder_;
};

std::string read(const ByteSource& source, std::uint64_t offset, std::size_t count) {
  std::string text(count, '?');
  source.read(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

TEST_F(ByteSourceTest, ReadsAnyRangeOfAFile) {
  const auto source = open_file(file());
  EXPECT_EQ(source->size(), 10U);
  EXPECT_EQ(source->name(), file());
  EXPECT_EQ(read(*source, 0, 10), "0123456789");
  EXPECT_EQ(read(*source, 7, 3), "789");
  EXPECT_EQ(read(*source, 10, 0), "");
  EXPECT_EQ(read_all(*source).size(), 10U);
}

/// Says that it is large, and breaks off.
class Boaster final : public ByteSource {
 public:
  const std::string& name() const noexcept override { return name_; }
  std::uint64_t size() const noexcept override { return std::uint64_t{60} << 30; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset + out.size() > (std::uint64_t{20} << 20)) throw CorruptData("it ends");
    std::fill(out.begin(), out.end(), std::byte{7});
  }

 private:
  std::string name_ = "boaster";
};

TEST(AppendBytes, TakesMemoryOnlyAsBytesCome) {
  const Boaster source;
  std::vector<std::byte> bytes(3);
  append_bytes(source, 0, std::uint64_t{18} << 20, bytes);
  EXPECT_EQ(bytes.size(), 3 + (std::size_t{18} << 20));
  EXPECT_EQ(bytes[3], std::byte{7});
  EXPECT_EQ(bytes.back(), std::byte{7});
  bytes = {};
  EXPECT_THROW(append_bytes(source, 0, source.size(), bytes), CorruptData);
  EXPECT_LE(bytes.capacity(), std::size_t{64} << 20);
}

TEST_F(ByteSourceTest, KnowsTheDateOfAFileAndWhatReadingCost) {
  const auto date = std::filesystem::last_write_time(file());
  const auto source = open_file(file());
  EXPECT_EQ(source->modified_ns(),
            std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::file_clock::to_sys(date).time_since_epoch()).count());
  EXPECT_EQ(source->traffic().bytes, 0U);
  read(*source, 2, 5);
  std::array<std::byte, 2> first{}, last{};
  const std::array<Piece, 2> pieces{{{0, first}, {8, last}}};
  source->read_pieces(pieces);
  EXPECT_EQ(static_cast<char>(last[1]), '9');
  EXPECT_EQ(source->traffic().bytes, 9U);
  EXPECT_GT(source->traffic().seconds, 0.0);
}

TEST_F(ByteSourceTest, ReadingPastTheEndIsAnError) {
  const auto source = open_file(file());
  EXPECT_THROW(read(*source, 8, 3), CorruptData);
  EXPECT_THROW(read(*source, 100, 1), CorruptData);
}

TEST_F(ByteSourceTest, AFileThatShrinksIsAnErrorNotASignal) {
  const auto source = open_file(file());
  std::filesystem::resize_file(file(), 4);
  EXPECT_EQ(read(*source, 0, 4), "0123");
  EXPECT_THROW(read_all(*source), CorruptData);
}

TEST_F(ByteSourceTest, WhatCannotBeOpenedHasItsOwnError) {
  EXPECT_THROW(open_file((folder_ / "missing").string()), NotFound);
  EXPECT_THROW(open_file(folder_.string()), InvalidArgument);
}

TEST_F(ByteSourceTest, AnEmptyFileHasNoBytes) {
  std::ofstream(folder_ / "empty").close();
  const auto source = open_file((folder_ / "empty").string());
  EXPECT_EQ(source->size(), 0U);
  EXPECT_TRUE(read_all(*source).empty());
}

TEST_F(ByteSourceTest, ManyThreadsReadOneSource) {
  const auto source = open_file(file());
  std::vector<int> wrong(4);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < wrong.size(); ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 1000; ++i) wrong[t] += read(*source, static_cast<std::uint64_t>(i % 10), 1)[0] == '0' + i % 10 ? 0 : 1;
      });
    }
  }
  EXPECT_EQ(std::accumulate(wrong.begin(), wrong.end(), 0), 0);
}

TEST(MemorySource, ReadsAndChecksItsRange) {
  const std::string text = "abc";
  const auto source = from_memory(std::as_bytes(std::span(text)), "mine");
  EXPECT_EQ(source->name(), "mine");
  EXPECT_EQ(read(*source, 1, 2), "bc");
  EXPECT_THROW(read(*source, 2, 2), CorruptData);
  EXPECT_THROW(read(*source, ~std::uint64_t{0}, 1), CorruptData);
}

}  // namespace
}  // namespace tuile::source
