#include "tuile/las/decode.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "las_files.hpp"

namespace tuile::las::test {
namespace {

template <class T>
std::vector<T> copy(const Buffer<T>& buffer) {
  return std::vector<T>(buffer.begin(), buffer.end());
}

void expect_equal(const PointBlock& a, const PointBlock& b, const std::string& what) {
  EXPECT_EQ(a.grid, b.grid) << what;
  EXPECT_EQ(copy(a.units), copy(b.units)) << what;
  EXPECT_EQ(copy(a.classification), copy(b.classification)) << what;
  EXPECT_EQ(copy(a.intensity), copy(b.intensity)) << what;
  EXPECT_EQ(copy(a.return_number), copy(b.return_number)) << what;
  EXPECT_EQ(copy(a.number_of_returns), copy(b.number_of_returns)) << what;
  EXPECT_EQ(copy(a.red), copy(b.red)) << what;
  EXPECT_EQ(copy(a.green), copy(b.green)) << what;
  EXPECT_EQ(copy(a.blue), copy(b.blue)) << what;
  EXPECT_EQ(copy(a.nir), copy(b.nir)) << what;
  EXPECT_EQ(copy(a.rows), copy(b.rows)) << what;
}

/// Compares a decoded block with the records, whose layout the test spells out itself.
void expect_matches_records(const PointBlock& points, const Bytes& records, const FileInfo& info, const std::string& what) {
  const Header& h = info.header;
  const bool extended = h.point_format >= 6;
  const std::size_t rgb = h.point_format == 2 ? 20 : (extended ? 30 : 28);
  ASSERT_EQ(points.size(), h.point_count) << what;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::size_t r = i * h.record_length;
    const auto returns = at<std::uint8_t>(records, r + 14);
    bool same = points.classification[i] == (extended ? at<std::uint8_t>(records, r + 16) : at<std::uint8_t>(records, r + 15) & 31) &&
                points.intensity[i] == at<std::uint16_t>(records, r + 12) &&
                points.return_number[i] == (extended ? returns & 15 : returns & 7) &&
                points.number_of_returns[i] == (extended ? returns >> 4 : (returns >> 3) & 7);
    const std::int32_t units[3] = {points.units[i].x, points.units[i].y, points.units[i].z};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double unit = axis == 2 ? info.crs.vertical_unit : info.crs.horizontal_unit;
      const double metres = (at<std::int32_t>(records, r + 4 * axis) * h.scale[axis] + h.offset[axis]) * unit;
      const double decoded = (static_cast<double>(points.grid.origin[axis]) + units[axis]) * points.grid.scale;
      same = same && std::abs(metres - decoded) <= 0.5000001 * points.grid.scale + 1e-6;
    }
    if (points.has_rgb()) {
      same = same && points.red[i] == at<std::uint16_t>(records, r + rgb) && points.green[i] == at<std::uint16_t>(records, r + rgb + 2) &&
             points.blue[i] == at<std::uint16_t>(records, r + rgb + 4);
    }
    if (points.has_nir()) same = same && points.nir[i] == at<std::uint16_t>(records, r + rgb + 6);
    wrong += same ? 0 : 1;
  }
  EXPECT_EQ(wrong, 0U) << what;
  EXPECT_EQ(points.has_rgb(), points.size() > 0 && info.fields().has(Field::rgb)) << what;
  EXPECT_EQ(points.has_nir(), points.size() > 0 && info.fields().has(Field::nir)) << what;
}

/// Files of the test data whose points cannot be put on one grid of 2^31 units, or whose header lies.
bool is_known_misfit(const Error& error) {
  return error.kind() == ErrorKind::unsupported || std::string(error.what()).find("outside the header's bounds") != std::string::npos;
}

TEST(Decode, EveryRealFileAsLaszipReadsItAndWhateverTheThreads) {
  int seen = 0, misfits = 0;
  for (const char* folder : {"formats", "lidarhd", "copc", "odd", "ahn3"}) {
    for (const auto& path : readable_files(folder, 1'500'000)) {
      const Bytes bytes = read_file(path);
      const FileInfo info = info_of(bytes);
      const std::string name = path.filename().string();
      const Bytes records = read_records(bytes, info);
      EXPECT_TRUE(info.header.point_count == 0 || records == laszip_records(path, info)) << name;
      try {
        const DecodeResult one = decode_all(bytes, info, 1);
        expect_matches_records(one.points, records, info, name);
        EXPECT_EQ(one.points_decoded, info.header.point_count) << name;
        expect_equal(decode_all(bytes, info, 4).points, one.points, name);
        ++seen;
      } catch (const Error& error) {
        EXPECT_TRUE(is_known_misfit(error)) << name << ": " << error.what();
        ++misfits;
      }
    }
  }
  if (seen + misfits == 0) GTEST_SKIP() << "no test data";
  EXPECT_GE(seen, 90);
  EXPECT_LE(misfits, 9);
}

TEST(Decode, LasAndLazTwinsAreEqual) {
  for (const auto& [las, laz] :
       {std::pair{"laspy__simple.las", "laspy__simple.laz"}, std::pair{"laspy__1_4_w_evlr.las", "laspy__1_4_w_evlr.laz"},
        std::pair{"loaders.gl__pdrf4-1.3.las", "loaders.gl__pdrf4-1.3.laz"},
        std::pair{"loaders.gl__pdrf5-1.3.las", "loaders.gl__pdrf5-1.3.laz"},
        std::pair{"laz-perf__point-color-time.las", "laz-perf__point-color-time.las.laz"},
        std::pair{"laz-perf__point10.las", "laz-perf__point10.las.laz"}}) {
    const auto first = test_data(std::string("formats/") + las);
    const auto second = test_data(std::string("formats/") + laz);
    if (!first || !second) GTEST_SKIP() << "no test data";
    const Bytes a = read_file(*first), b = read_file(*second);
    const FileInfo a_info = info_of(a), b_info = info_of(b);
    EXPECT_EQ(read_records(a, a_info), read_records(b, b_info)) << las;
    expect_equal(decode_all(a, a_info, 2).points, decode_all(b, b_info, 2).points, las);
  }
}

TEST(Decode, OnlyTheFieldsAskedFor) {
  const auto path = test_data("lidarhd/test_data_77060_627755_LA93_IGN69.laz");
  if (!path) GTEST_SKIP() << "no test data";
  const Bytes bytes = read_file(*path);
  const FileInfo info = info_of(bytes);
  const PointBlock all = decode_all(bytes, info, 2).points;
  Executor executor(2);
  for (const Field field : {Field::intensity, Field::returns, Field::rgb, Field::nir}) {
    DecodeOptions options;
    options.fields = FieldSet{}.with(field);
    const PointBlock some = decode(bytes, info, options, executor).points;
    EXPECT_EQ(copy(some.units), copy(all.units));
    EXPECT_EQ(copy(some.classification), copy(all.classification));
    EXPECT_EQ(copy(some.intensity), field == Field::intensity ? copy(all.intensity) : std::vector<std::uint16_t>());
    EXPECT_EQ(copy(some.return_number), field == Field::returns ? copy(all.return_number) : std::vector<std::uint8_t>());
    EXPECT_EQ(copy(some.blue), field == Field::rgb ? copy(all.blue) : std::vector<std::uint16_t>());
    EXPECT_EQ(copy(some.nir), field == Field::nir ? copy(all.nir) : std::vector<std::uint16_t>());
  }
}

TEST(Decode, TheBoxIsClosedAndRowsAreFileIndices) {
  const auto path = test_data("lidarhd/test_data_77060_627755_LA93_IGN69.laz");
  if (!path) GTEST_SKIP() << "no test data";
  const Bytes bytes = read_file(*path);
  const FileInfo info = info_of(bytes);
  const PointBlock all = decode_all(bytes, info, 2).points;
  // The edges go through points of the file.
  const auto metres = [&](std::int32_t units, std::size_t axis) {
    return static_cast<double>(all.grid.origin[axis] + units) * all.grid.scale;
  };
  const std::int32_t x0 = std::min(all.units[10].x, all.units[60'000].x), x1 = std::max(all.units[10].x, all.units[60'000].x);
  const std::int32_t y0 = std::min(all.units[10].y, all.units[60'000].y), y1 = std::max(all.units[10].y, all.units[60'000].y);
  std::vector<std::uint32_t> expected;
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    const GridPoint& p = all.units[i];
    if (p.x >= x0 && p.x <= x1 && p.y >= y0 && p.y <= y1) expected.push_back(i);
  }
  ASSERT_GT(expected.size(), 2U);
  DecodeOptions options;
  options.fields = info.fields();
  options.bbox = Bounds{metres(x0, 0), metres(y0, 1), metres(x1, 0), metres(y1, 1)};
  for (const int threads : {1, 3}) {
    Executor executor(threads);
    const DecodeResult part = decode(bytes, info, options, executor);
    expect_equal(part.points, select(all, expected), "box");
    EXPECT_EQ(part.points_decoded, all.size());
  }
  options.bbox = Bounds{0, 0, 1, 1};
  Executor executor(2);
  EXPECT_EQ(decode(bytes, info, options, executor).points.size(), 0U);
}

TEST(Decode, FeetBecomeMetres) {
  const auto path = test_data("formats/PDAL__thin-1.las");
  if (!path) GTEST_SKIP() << "no test data";
  const Bytes bytes = read_file(*path);
  const FileInfo info = info_of(bytes);
  const PointBlock points = decode_all(bytes, info, 1).points;
  EXPECT_DOUBLE_EQ(points.grid.scale, 0.003048);
  EXPECT_FALSE(points.rounded);
  EXPECT_NEAR((static_cast<double>(points.grid.origin[0]) + points.units[0].x) * points.grid.scale,
              0.3048 * 0.01 * at<std::int32_t>(bytes, info.header.point_data_offset), 1e-6);
  EXPECT_NEAR(info.bounds().min_x, 0.3048 * info.header.min[0], 1e-9);
}

TEST(Decode, ScalesThatDoNotFitTheGridAreRoundedAndMarked) {
  Bytes bytes = small_las(100);
  set<double>(bytes, 131, 0.00025);  // x: finer than the grid
  const FileInfo info = info_of(bytes);
  const PointBlock points = decode_all(bytes, info, 1).points;
  EXPECT_DOUBLE_EQ(points.grid.scale, 0.001);
  EXPECT_TRUE(points.rounded);
  EXPECT_EQ(points.units[3].x, 1) << "0.75 mm";
  EXPECT_EQ(points.units[3].y, 60) << "6 × 1 cm on a grid of 1 mm";
}

TEST(Decode, OffsetsOnTheGridAreExact) {
  Bytes bytes = small_las(100);
  set<double>(bytes, 155, 770'500.0);
  set<double>(bytes, 179, 770'500.99);
  set<double>(bytes, 187, 770'500.0);
  const FileInfo info = info_of(bytes);
  const PointBlock points = decode_all(bytes, info, 1).points;
  EXPECT_FALSE(points.rounded);
  EXPECT_EQ(points.grid.origin[0], 77'050'000);
  for (std::int32_t i = 0; i < 100; ++i) EXPECT_EQ(points.units[static_cast<std::size_t>(i)].x, i);
}

TEST(Decode, BoundsThatLieAreAnErrorAndRoundedOnesAreNot) {
  Bytes bytes = small_las(100);
  set<double>(bytes, 179, 0.98);  // one unit less than the largest x
  EXPECT_EQ(decode_all(bytes, info_of(bytes), 1).points.size(), 100U);
  set<double>(bytes, 179, 0.9);
  try {
    decode_all(bytes, info_of(bytes), 1);
    FAIL() << "accepted";
  } catch (const CorruptData& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("x = 0.99"), std::string::npos) << message;
    EXPECT_NE(message.find("0 to 0.9"), std::string::npos) << message;
  }
  set<double>(bytes, 179, 1000.0);  // larger bounds are fine
  EXPECT_EQ(decode_all(bytes, info_of(bytes), 1).points.size(), 100U);
}

TEST(Decode, PointsTooFarForTheGridAreRefused) {
  Bytes bytes = small_las(2);
  set<std::int32_t>(bytes, 227, -2'000'000'000);
  set<std::int32_t>(bytes, 247, 2'000'000'000);
  set<double>(bytes, 179, 2e7);
  set<double>(bytes, 187, -2e7);
  EXPECT_THROW(decode_all(bytes, info_of(bytes), 1), Unsupported);
}

TEST(Decode, AWrongCountByReturnIsAWarning) {
  Bytes bytes = small_las(100);
  set<std::uint32_t>(bytes, 111, 99);
  const DecodeResult result = decode_all(bytes, info_of(bytes), 1);
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_NE(result.warnings[0].find("return 1"), std::string::npos);
}

TEST(Decode, StopsOnRequest) {
  const Bytes bytes = small_las(100);
  std::stop_source stop;
  stop.request_stop();
  DecodeOptions options;
  options.stop = stop.get_token();
  Executor executor(2);
  EXPECT_THROW(decode(bytes, info_of(bytes), options, executor), Cancelled);
}

TEST(Decode, ABoxOfNoNumbersIsRefused) {
  const Bytes bytes = small_las(10);
  DecodeOptions options;
  options.bbox = Bounds{0, 0, std::nan(""), 1};
  Executor executor(1);
  EXPECT_THROW(decode(bytes, info_of(bytes), options, executor), InvalidArgument);
}

}  // namespace
}  // namespace tuile::las::test
