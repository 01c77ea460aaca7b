// LAZ files of points that come from no file, and classes and labels of callers.
#include "laz_support.hpp"
#include "tuile/core/error.hpp"
#include "tuile/las/decode.hpp"
#include "tuile/las/new_file.hpp"

using namespace tuile;
using namespace tuile::write;
using tuile::test::LasFile;
using tuile::test::options_for;
using tuile::test::place_of;
using Rows = tuile::test::LazRowsSample;
using tuile::test::TemporaryFolder;
using tuile::test::value_at;
using tuile::test::write_las;

namespace {

template <class T>
Buffer<T> random_values(std::size_t size, std::mt19937& random, unsigned limit) {
  Buffer<T> values(size);
  for (T& value : values) value = static_cast<T>(random() % limit);
  return values;
}

PointBlock random_points(std::size_t size, double scale) {
  std::mt19937 random(11);
  PointBlock points;
  points.grid = {scale, {87'001'000, 661'799'000, -1000}};
  points.units = Buffer<GridPoint>(size);
  for (GridPoint& p : points.units)
    p = {static_cast<std::int32_t>(random() % 100'000), static_cast<std::int32_t>(random() % 100'000),
         static_cast<std::int32_t>(random() % 9000)};
  points.classification = random_values<std::uint8_t>(size, random, 256);
  points.intensity = random_values<std::uint16_t>(size, random, 65536);
  return points;
}

PointBlock written_and_read(const TemporaryFolder& folder, const PointBlock& points) {
  TileLayout layout;
  layout.points = points.size();
  layout.grid = points.grid;
  LazSinkOptions options;
  options.original = las::layout_for(points, "", "test");
  const las::FileInfo original = options.original;
  std::size_t next = 0;
  options.make_records = [&](std::span<std::byte> records) {
    las::pack_records(points, original, next, records, nullptr);
    next += records.size() / original.header.record_length;
  };
  const std::unique_ptr<Sink> sink = make_laz_sink(folder / "new.laz", layout, std::move(options));
  RowBlock rows;
  rows.units = points.units.span();
  rows.classification = points.classification.span();
  sink->write(rows);
  sink->finish();
  const LasFile file(folder / "new.laz");
  Executor executor(2);
  return las::decode(file.bytes.span(), file.info, {.fields = {0xF}}, executor).points;
}

void expect_same_points(const PointBlock& one, const PointBlock& other) {
  ASSERT_EQ(one.size(), other.size());
  EXPECT_FALSE(one.rounded);
  ASSERT_EQ(one.grid.scale, other.grid.scale);
  for (std::size_t i = 0; i < one.size(); ++i) {
    const auto axis = [&](std::size_t a, std::int32_t first, std::int32_t second) {
      return one.grid.origin[a] + first == other.grid.origin[a] + second;
    };
    const GridPoint &p = one.units[i], &q = other.units[i];
    ASSERT_TRUE(axis(0, p.x, q.x) && axis(1, p.y, q.y) && axis(2, p.z, q.z)) << "point " << i;
  }
  const auto same = [](const auto& a, const auto& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); };
  EXPECT_TRUE(same(one.classification, other.classification));
  EXPECT_TRUE(same(one.intensity, other.intensity));
}

TEST(LazNew, PointsComeBack) {
  const TemporaryFolder folder;
  for (const double scale : {0.01, 0.001, 0.25}) {
    const PointBlock points = random_points(60'001, scale);
    const PointBlock back = written_and_read(folder, points);
    expect_same_points(back, points);
    EXPECT_FALSE(back.has_rgb());
    EXPECT_EQ(back.return_number[7], 1);
    EXPECT_EQ(back.number_of_returns[7], 1);
  }
}

TEST(LazNew, ColoursChooseThePointFormat) {
  const TemporaryFolder folder;
  std::mt19937 random(3);
  PointBlock points = random_points(500, 0.01);
  for (Buffer<std::uint16_t>* channel : {&points.red, &points.green, &points.blue})
    *channel = random_values<std::uint16_t>(500, random, 65536);
  EXPECT_EQ(las::layout_for(points, "", "test").header.point_format, 7);
  points.nir = random_values<std::uint16_t>(500, random, 65536);
  EXPECT_EQ(las::layout_for(points, "", "test").header.point_format, 8);
  const PointBlock back = written_and_read(folder, points);
  EXPECT_TRUE(std::equal(back.green.begin(), back.green.end(), points.green.begin()));
  EXPECT_TRUE(std::equal(back.nir.begin(), back.nir.end(), points.nir.begin()));
}

TEST(LazNew, OtherFormatsAreRefused) {
  EXPECT_THROW(las::new_layout(3, 0.01, "", "", "test"), Unsupported);
  EXPECT_THROW(las::new_layout(9, 0.01, "", "", "test"), Unsupported);
}

TEST(LazNew, TheCrsIsThere) {
  const las::FileInfo layout = las::layout_for(random_points(1, 0.01), "LOCAL_CS[\"here\"]", "test");
  ASSERT_EQ(layout.vlrs.size(), 1U);
  EXPECT_EQ(layout.vlrs[0].record_id, 2112);
  EXPECT_EQ(layout.vlrs[0].data.back(), std::byte{0});
}

TEST(LazNew, ClassesReplaceTheFilesOwnAndNothingElse) {
  const TemporaryFolder folder;
  for (const std::uint8_t format : {std::uint8_t{1}, std::uint8_t{6}}) {
    write_las(folder / "in.laz", {.points = 700, .format = format, .minor = static_cast<std::uint8_t>(format < 6 ? 2 : 4)});
    const LasFile input(folder / "in.laz");
    const Rows rows(700, {});
    std::vector<std::uint8_t> classes(700);
    for (std::size_t i = 0; i < classes.size(); ++i) classes[i] = static_cast<std::uint8_t>(i % 32);
    LazSinkOptions options = options_for(input, {});
    options.classes = classes;
    const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, std::move(options));
    sink->write(rows.rows(0, 700));
    sink->finish();
    const LasFile output(folder / "out.laz");
    const std::size_t at = las::record_format(format).classification;
    for (std::size_t i = 0; i < 700; ++i) {
      std::vector<std::byte> expected(input.record(i).begin(), input.record(i).end());
      expected[at] = (format < 6 ? expected[at] & std::byte{0xE0} : std::byte{0}) | std::byte{classes[i]};
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), output.record(i).begin(), output.record(i).end())) << "record " << i;
    }
  }
}

TEST(LazNew, LabelsMayStandAlone) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", 300, 0, {});
  const LasFile input(folder / "in.laz");
  Rows rows(300, {});
  rows.with_labels();
  rows.layout.objects = {};
  LazSinkOptions options = options_for(input, {});
  options.label_provenance = false;
  const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, std::move(options));
  sink->write(rows.rows(0, 300));
  sink->finish();
  const LasFile output(folder / "out.laz");
  ASSERT_EQ(output.info.extra_dimensions.size(), 1U);
  EXPECT_EQ(output.info.header.record_length, input.info.header.record_length + 1);
  for (std::size_t i = 0; i < 300; ++i) ASSERT_EQ(value_at<std::uint8_t>(output.record(i), place_of(output.info, "label")), rows.labels[i]);
}

TEST(LazNew, ClassesThatDoNotFitAreRefused) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", {.points = 10, .format = 1, .minor = 2});
  const LasFile input(folder / "in.laz");
  TileLayout layout = Rows(10, {}).layout;
  for (const std::vector<std::uint8_t>& classes : {std::vector<std::uint8_t>(10, 64), std::vector<std::uint8_t>(9, 2)}) {
    LazSinkOptions options = options_for(input, {});
    options.classes = classes;
    EXPECT_THROW(make_laz_sink(folder / "out.laz", layout, std::move(options)), InvalidArgument);
  }
}

}  // namespace
