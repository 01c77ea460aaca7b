#include "laz_support.hpp"
#include "support/test_data.hpp"
#include "tuile/core/error.hpp"
#include "tuile/write/verify.hpp"
#include "write/tile_writer.hpp"

using namespace tuile;
using namespace tuile::write;
using tuile::test::dimension;
using tuile::test::LasFile;
using tuile::test::options_for;
using Rows = tuile::test::LazRowsSample;
using tuile::test::TemporaryFolder;
using tuile::test::write_las;

namespace {

/// Every record of `output` is record picks[i] of `input` (all where empty) followed by the columns' values of row i.
void expect_rows(const LasFile& output, const LasFile& input, const Rows& rows, const std::vector<LazColumn>& columns,
                 const std::vector<std::uint32_t>& picks = {}) {
  const std::size_t length = input.info.header.record_length;
  ASSERT_EQ(output.info.header.point_count, rows.layout.points);
  ASSERT_EQ(output.info.header.record_length, length + 4 * columns.size());
  EXPECT_EQ(output.info.header.point_format, input.info.header.point_format);
  EXPECT_EQ(output.info.header.scale, input.info.header.scale);
  EXPECT_EQ(output.info.header.offset, input.info.header.offset);
  std::size_t differing = 0;
  for (std::size_t i = 0; i < rows.layout.points; ++i) {
    const std::span<const std::byte> found = output.record(i), original = input.record(picks.empty() ? i : picks[i]);
    bool same = std::memcmp(found.data(), original.data(), length) == 0;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      float value = 0;
      std::memcpy(&value, found.data() + length + 4 * j, 4);
      same = same && value == rows.features[i * rows.layout.feature_names.size() + columns[j].column];
    }
    differing += same ? 0 : 1;
  }
  EXPECT_EQ(differing, 0U);
}

/// VLRs and EVLRs of `input` that must stand unchanged in `output`.
void expect_records_kept(const LasFile& output, const LasFile& input) {
  const auto check = [](const std::vector<las::Vlr>& found, const std::vector<las::Vlr>& expected) {
    for (const las::Vlr& record : expected) {
      if (record.user_id == "laszip encoded" || record.user_id == "copc" || (record.user_id == "LASF_Spec" && record.record_id == 4))
        continue;
      EXPECT_TRUE(std::any_of(found.begin(), found.end(),
                              [&](const las::Vlr& candidate) {
                                return candidate.user_id == record.user_id && candidate.record_id == record.record_id &&
                                       candidate.description == record.description && candidate.data == record.data;
                              }))
          << record.user_id << " " << record.record_id;
    }
  };
  check(output.info.vlrs, input.info.vlrs);
  check(output.info.evlrs, input.info.evlrs);
}

const std::vector<LazColumn> two_columns{{2, "planarity", "how flat"}, {0, "density", "points per cubic metre"}};

}  // namespace

TEST(LazSink, AppendsDimensionsAndKeepsTheRest) {
  for (const bool compressed : {true, false}) {
    const TemporaryFolder folder;
    write_las(folder / "in.las", 60000, 6, {dimension("echo", 3, 0, 2), dimension("height", 9, 2, 4)}, compressed);
    const LasFile input(folder / "in.las");
    ASSERT_EQ(input.info.extra_dimensions.size(), 2U);
    const Rows rows(60000, {"density", "x", "planarity"});
    const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, options_for(input, two_columns));
    sink->write(rows.rows(0, 60000));
    const WrittenFile written = sink->finish();
    EXPECT_EQ(written.checksum, file_checksum(folder / "out.laz"));
    const LasFile output(folder / "out.laz");
    EXPECT_TRUE(output.info.header.compressed);
    expect_rows(output, input, rows, two_columns);
    expect_records_kept(output, input);
    ASSERT_EQ(output.info.extra_dimensions.size(), 4U);
    EXPECT_EQ(output.info.extra_dimensions[1].name, "height");
    EXPECT_EQ(output.info.extra_dimensions[2].name, "planarity");
    EXPECT_EQ(output.info.extra_dimensions[2].description, "how flat");
    EXPECT_EQ(output.info.extra_dimensions[2].data_type, 9);
    EXPECT_EQ(output.info.extra_dimensions[3].offset, 10);
    EXPECT_EQ(folder.names(), (std::vector<std::string>{"in.las", "out.laz"}));
  }
}

TEST(LazSink, BlockOrderAndThreadsDoNotMatter) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", 150000, 0, {});
  const LasFile input(folder / "in.laz");
  const Rows rows(150000, {"density", "x", "planarity"});
  Executor executor(2);
  const auto write = [&](const std::string& name, std::vector<std::size_t> starts, std::size_t block, Executor* compressing) {
    const std::unique_ptr<Sink> sink = make_laz_sink(folder / name, rows.layout, options_for(input, two_columns), compressing);
    for (const std::size_t start : starts) sink->write(rows.rows(start, std::min(block, 150000 - start)));
    return sink->finish().checksum;
  };
  const std::string whole = write("a.laz", {0}, 150000, nullptr);
  EXPECT_EQ(write("b.laz", {120000, 30000, 0, 90000, 60000}, 30000, &executor), whole);
  expect_rows(LasFile(folder / "b.laz"), input, rows, two_columns);
}

TEST(LazSink, SelectedRowsOnly) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", 50000, 2, {});
  const LasFile input(folder / "in.laz");
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{20001}}) {
    LazSinkOptions options = options_for(input, two_columns);
    std::vector<std::uint32_t> picks;
    for (std::size_t i = 5; i < 50000; i += step) picks.push_back(static_cast<std::uint32_t>(i));
    options.rows = picks;
    const Rows rows(picks.size(), {"density", "x", "planarity"});
    const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, std::move(options));
    const std::size_t half = picks.size() / 2;
    sink->write(rows.rows(half, picks.size() - half));
    sink->write(rows.rows(0, half));
    sink->finish();
    expect_rows(LasFile(folder / "out.laz"), input, rows, two_columns, picks);
  }
}

TEST(LazSink, NothingSelectedOrNoPoints) {
  const TemporaryFolder folder;
  write_las(folder / "empty.laz", 0, 0, {});
  write_las(folder / "full.laz", 10, 0, {});
  for (const char* name : {"empty.laz", "full.laz"}) {
    const LasFile input(folder / name);
    LazSinkOptions options = options_for(input, two_columns);
    options.rows.emplace();
    const Rows rows(0, {"density", "x", "planarity"});
    const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, std::move(options));
    sink->write(rows.rows(0, 0));
    sink->finish();
    const LasFile output(folder / "out.laz");
    EXPECT_EQ(output.info.header.point_count, 0U);
    EXPECT_EQ(output.info.extra_dimensions.size(), 2U);
  }
}

TEST(LazSink, NamesThatTheFileHasGetAPrefix) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", 100, 8, {dimension("planarity", 9, 0, 4), dimension("tuile_planarity", 9, 4, 4)});
  const LasFile input(folder / "in.laz");
  const Rows rows(100, {"density", "x", "planarity"});
  const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, options_for(input, two_columns));
  sink->write(rows.rows(0, 100));
  sink->finish();
  const LasFile output(folder / "out.laz");
  ASSERT_EQ(output.info.extra_dimensions.size(), 4U);
  EXPECT_EQ(output.info.extra_dimensions[2].name, "tuile_tuile_planarity");
  EXPECT_EQ(output.info.extra_dimensions[3].name, "density");
}

TEST(LazSink, BytesThatTheFileDoesNotDescribeKeepTheirPlace) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", 100, 300, {dimension("echo", 3, 0, 2)});
  const LasFile input(folder / "in.laz");
  const Rows rows(100, {"density", "x", "planarity"});
  const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, options_for(input, two_columns));
  sink->write(rows.rows(0, 100));
  sink->finish();
  const LasFile output(folder / "out.laz");
  expect_rows(output, input, rows, two_columns);
  ASSERT_GE(output.info.extra_dimensions.size(), 3U);
  const las::ExtraDimension& last = output.info.extra_dimensions.back();
  EXPECT_EQ(last.name, "density");
  EXPECT_EQ(last.offset, 304);
}

TEST(LazSink, LimitsAndMismatches) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", 100, 0, {});
  const LasFile input(folder / "in.laz");
  const auto refuse = [&](const Rows& rows, LazSinkOptions options, const std::string& part) {
    try {
      make_laz_sink(folder / "out.laz", rows.layout, std::move(options));
      ADD_FAILURE() << part;
    } catch (const InvalidArgument& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  const Rows rows(100, {"density", "x", "planarity"});
  refuse(rows, options_for(input, {{0, std::string(33, 'n'), ""}}), "33 bytes");
  refuse(rows, options_for(input, std::vector<LazColumn>(16377, {0, "a", ""})), "at most 65535");
  refuse(rows, options_for(input, {{3, "a", ""}}), "column 3");
  refuse(Rows(99, {"density", "x", "planarity"}), options_for(input, two_columns), "99 rows");
  LazSinkOptions beyond = options_for(input, two_columns);
  beyond.rows.emplace();
  for (std::uint32_t i = 1; i <= 100; ++i) beyond.rows->push_back(i);
  refuse(rows, beyond, "record 100");
  std::swap((*beyond.rows)[3], (*beyond.rows)[4]);
  refuse(rows, std::move(beyond), "increasing");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"in.laz"});
}

TEST(LazSink, UnfinishedOrDamagedLeavesNothing) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", 100000, 0, {});
  const LasFile input(folder / "in.laz");
  const Rows rows(100000, {"density", "x", "planarity"});
  {
    const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, options_for(input, two_columns));
    sink->write(rows.rows(0, 60000));
    EXPECT_THROW(sink->finish(), InvalidArgument);
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"in.laz"});
  LazSinkOptions truncated = options_for(input, two_columns);
  truncated.read_original = [&input] {
    Buffer<std::byte> part(input.bytes.size() / 2);
    std::copy_n(input.bytes.begin(), part.size(), part.begin());
    return part;
  };
  {
    const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, std::move(truncated));
    EXPECT_THROW(sink->write(rows.rows(0, 60000)), CorruptData);
    EXPECT_THROW(sink->write(rows.rows(60000, 40000)), InvalidArgument);
    EXPECT_THROW(sink->finish(), InvalidArgument);
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"in.laz"});
}

TEST(LazSink, VerifyCountsItsPoints) {
  const TemporaryFolder folder, input_folder;
  write_las(input_folder / "in.laz", 100, 0, {});
  const LasFile input(input_folder / "in.laz");
  const Rows rows(100, {"density", "x", "planarity"});
  std::vector<std::unique_ptr<Sink>> sinks;
  sinks.push_back(make_laz_sink(folder / "a.laz", rows.layout, options_for(input, two_columns)));
  TileWriter writer(folder / "a.json", std::move(sinks));
  writer.write(rows.rows(0, 100));
  Sidecar sidecar;
  sidecar.rows = sidecar.valid_points = 100;
  sidecar = writer.finish(sidecar);
  EXPECT_TRUE(verify_directory(folder.path()).ok());
  sidecar.rows = sidecar.valid_points = 101;
  write_sidecar(folder / "a.json", sidecar);
  const VerifyReport report = verify_directory(folder.path());
  ASSERT_EQ(report.tiles.at(0).problems.size(), 1U);
  EXPECT_EQ(report.tiles[0].problems[0], "a.laz: number of points is 100, the sidecar says 101");
}

class RealTiles : public ::testing::TestWithParam<const char*> {};

TEST_P(RealTiles, KeepEveryRecord) {
  const std::optional<std::filesystem::path> path = test::test_data(GetParam());
  if (!path) GTEST_SKIP() << "no test data: " << GetParam();
  const TemporaryFolder folder;
  const LasFile input(*path);
  const Rows rows(input.info.header.point_count, {"density", "x", "planarity"});
  const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, options_for(input, two_columns));
  sink->write(rows.rows(0, rows.layout.points));
  sink->finish();
  const LasFile output(folder / "out.laz");
  expect_rows(output, input, rows, two_columns);
  expect_records_kept(output, input);
  EXPECT_FALSE(output.info.copc.has_value());
  ASSERT_GE(output.info.extra_dimensions.size(), input.info.extra_dimensions.size() + 2);
  for (std::size_t i = 0; i < input.info.extra_dimensions.size(); ++i) {
    EXPECT_EQ(output.info.extra_dimensions[i].name, input.info.extra_dimensions[i].name);
    EXPECT_EQ(output.info.extra_dimensions[i].descriptor, input.info.extra_dimensions[i].descriptor);
    EXPECT_EQ(output.info.extra_dimensions[i].offset, input.info.extra_dimensions[i].offset);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Files, RealTiles,
    ::testing::Values("lidarhd/test_data_77050_627755_LA93_IGN69.laz", "lidarhd/crop_2.laz",
                      "lidarhd/870000_6618000.subset.postCompletion.laz", "lidarhd/las_with_several_extra_byte_bloc.laz",
                      "lidarhd_more/ctview__Semis_2021_0785_6378_LA93_IGN69_water.laz", "lidarhd_more/ctview__test_data_class_6.las",
                      "copc/ctview__test_data_77050_627755_LA93_IGN69_buildings.copc.laz", "copc/copc-validator__ellipsoid.copc.laz"));
