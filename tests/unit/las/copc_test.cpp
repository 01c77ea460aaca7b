#include "las/copc.hpp"

#include <gtest/gtest.h>

#include <random>

#include "las_files.hpp"

namespace tuile::las::test {
namespace {

/// Counts what is read through it.
class CountingSource final : public source::ByteSource {
 public:
  explicit CountingSource(const Bytes& bytes) : bytes_(bytes) {}
  const std::string& name() const noexcept override { return name_; }
  std::uint64_t size() const noexcept override { return bytes_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset) throw CorruptData("past the end");
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    read_ += out.size();
  }
  std::uint64_t read_bytes() const { return read_; }

 private:
  const Bytes& bytes_;
  std::string name_ = "counted";
  mutable std::uint64_t read_ = 0;
};

std::vector<std::filesystem::path> copc_files() {
  auto files = readable_files("copc", 1'500'000);
  if (const auto tile = test_data("copc_grid/tile_0_0.copc.laz")) files.push_back(*tile);
  return files;
}

TEST(Copc, APartByNodesIsThePartOfTheWhole) {
  int seen = 0;
  std::mt19937 random(5);
  Executor executor(2);
  for (const auto& path : copc_files()) {
    const Bytes bytes = read_file(path);
    const FileInfo info = info_of(bytes);
    ASSERT_TRUE(info.copc) << path;
    const Bounds all = info.bounds();
    const int rounds = bytes.size() > 2'000'000 ? 3 : 8;
    for (int round = 0; round < rounds; ++round) {
      const auto fraction = [&] { return static_cast<double>(random() % 1000) / 1000.0; };
      const double x0 = all.min_x + fraction() * all.width(), y0 = all.min_y + fraction() * all.height();
      DecodeOptions options;
      options.fields = info.fields();
      options.bbox = round == 0 ? Bounds{all.min_x, all.min_y, all.min_x + 0.05 * all.width(), all.max_y}
                                : Bounds{x0, y0, x0 + fraction() * all.width(), y0 + fraction() * all.height()};
      const CountingSource source(bytes);
      const DecodeResult part = decode_copc_nodes(source, info, options, executor);
      const DecodeResult whole = decode(bytes, info, options, executor);
      ASSERT_EQ(part.points.size(), whole.points.size()) << path;
      EXPECT_TRUE(std::equal(part.points.units.begin(), part.points.units.end(), whole.points.units.begin())) << path;
      EXPECT_TRUE(std::equal(part.points.rows.begin(), part.points.rows.end(), whole.points.rows.begin())) << path;
      EXPECT_TRUE(std::equal(part.points.intensity.begin(), part.points.intensity.end(), whole.points.intensity.begin())) << path;
      EXPECT_EQ(part.points.has_rgb(), whole.points.has_rgb()) << path;
      EXPECT_LE(part.points_decoded, whole.points_decoded) << path;
      if (round == 0 && bytes.size() > 2'000'000) {
        EXPECT_LT(part.points_decoded, whole.points_decoded / 2) << path;
        EXPECT_LT(source.read_bytes(), bytes.size() / 2) << path;
      }
    }
    ++seen;
  }
  if (seen == 0) GTEST_SKIP() << "no test data";
}

TEST(Copc, NodesAreInFileOrderAndHoldEveryPoint) {
  int seen = 0;
  for (const auto& path : copc_files()) {
    const Bytes bytes = read_file(path);
    const FileInfo info = info_of(bytes);
    std::uint64_t points = 0, end = 0;
    for (const CopcNode& node : read_copc_nodes(*source::from_memory(bytes), info)) {
      EXPECT_EQ(node.first_point, points);
      EXPECT_GE(node.offset, end);
      points += node.points;
      end = node.offset + node.size;
    }
    EXPECT_EQ(points, info.header.point_count);
    ++seen;
  }
  if (seen == 0) GTEST_SKIP() << "no test data";
}

TEST(Copc, WhatIsNotAskedRightIsRefused) {
  const Bytes bytes = small_las(3);
  Executor executor(1);
  DecodeOptions options;
  options.bbox = Bounds{0, 0, 1, 1};
  EXPECT_THROW(decode_copc_nodes(*source::from_memory(bytes), info_of(bytes), options, executor), InvalidArgument);
  const auto path = test_data("copc/laspy__simple_with_page.copc.laz");
  if (!path) GTEST_SKIP() << "no test data";
  const Bytes copc = read_file(*path);
  EXPECT_THROW(decode_copc_nodes(*source::from_memory(copc), info_of(copc), {}, executor), InvalidArgument);
}

TEST(Copc, AHierarchyThatLiesIsAnError) {
  const auto path = test_data("copc/laspy__simple_with_page.copc.laz");
  if (!path) GTEST_SKIP() << "no test data";
  const Bytes good = read_file(*path);
  const FileInfo info = info_of(good);
  const std::uint64_t root = info.copc->root_offset;
  const std::size_t entries = info.copc->root_size / 32;
  std::size_t pages = 0;
  const auto expect_corrupt = [&](const Bytes& bytes, const char* what) {
    EXPECT_THROW(read_copc_nodes(*source::from_memory(bytes), info_of(bytes)), CorruptData) << what;
  };
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = root + 32 * i;
    if (at<std::int32_t>(good, entry + 28) == -1) {
      ++pages;
      Bytes bytes = good;
      set<std::uint64_t>(bytes, entry + 16, root);  // a page that contains itself
      set<std::int32_t>(bytes, entry + 24, static_cast<std::int32_t>(info.copc->root_size));
      expect_corrupt(bytes, "cycle");
      set<std::uint64_t>(bytes, entry + 16, bytes.size());
      expect_corrupt(bytes, "page outside");
    } else if (at<std::int32_t>(good, entry + 28) > 0) {
      Bytes bytes = good;
      set<std::int32_t>(bytes, entry + 28, at<std::int32_t>(good, entry + 28) + 1);
      expect_corrupt(bytes, "count");
      bytes = good;
      set<std::uint64_t>(bytes, entry + 16, good.size());
      expect_corrupt(bytes, "chunk outside");
      bytes = good;
      set<std::int32_t>(bytes, entry + 4, -1);
      expect_corrupt(bytes, "key");
    }
  }
  EXPECT_GT(pages, 0U);
}

}  // namespace
}  // namespace tuile::las::test
