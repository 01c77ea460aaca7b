// Labels and their objects in LAZ files.
#include <set>

#include "laz_support.hpp"
#include "tuile/core/error.hpp"
#include "tuile/las/decode.hpp"

using namespace tuile;
using namespace tuile::write;
using tuile::test::dimension;
using tuile::test::LasFile;
using tuile::test::LasSample;
using tuile::test::options_for;
using tuile::test::place_of;
using Rows = tuile::test::LazRowsSample;
using tuile::test::TemporaryFolder;
using tuile::test::value_at;
using tuile::test::write_las;

namespace {

const std::vector<LazColumn> one_column{{0, "density", "points per cubic metre"}};

/// The output of all rows, given in two blocks, the second first.
LasFile write_laz(const TemporaryFolder& folder, const LasFile& input, const Rows& rows, LazLabels labels,
                  const std::vector<LazColumn>& columns = one_column) {
  LazSinkOptions options = options_for(input, columns);
  options.labels = labels;
  const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, std::move(options));
  const std::size_t half = rows.layout.points / 2;
  sink->write(rows.rows(half, rows.layout.points - half));
  sink->write(rows.rows(0, half));
  sink->finish();
  return LasFile(folder / "out.laz");
}

/// Class codes as the decoder gives them.
std::vector<std::uint8_t> decoded_classes(const LasFile& file) {
  Executor executor(1);
  const las::DecodeResult result = las::decode(file.bytes.span(), file.info, {}, executor);
  return {result.points.classification.begin(), result.points.classification.end()};
}

/// Rows whose label_source and label_object (and label, where it is a dimension) are not those of `rows`.
std::size_t rows_with_other_labels(const LasFile& output, const Rows& rows, bool with_label, const std::string& prefix = "") {
  const std::size_t source = place_of(output.info, prefix + "label_source"), object = place_of(output.info, prefix + "label_object");
  const std::size_t label = with_label ? place_of(output.info, prefix + "label") : 0;
  std::size_t differing = 0;
  for (std::size_t i = 0; i < rows.layout.points; ++i) {
    const bool same = value_at<std::uint8_t>(output.record(i), source) == rows.label_source[i] &&
                      value_at<std::int32_t>(output.record(i), object) == rows.label_object[i] &&
                      (!with_label || value_at<std::uint8_t>(output.record(i), label) == rows.labels[i]);
    differing += same ? 0 : 1;
  }
  return differing;
}

std::vector<las::Vlr> object_records(const std::vector<las::Vlr>& records) {
  std::vector<las::Vlr> found;
  for (const las::Vlr& record : records)
    if (record.user_id == "tuile") found.push_back(record);
  return found;
}

std::string text_of(const las::Vlr& record) { return {reinterpret_cast<const char*>(record.data.data()), record.data.size()}; }

/// Lines of a table's text, the line of names first.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t start = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  EXPECT_EQ(start, text.size()) << "the last line has no end";
  return lines;
}

class LazLabelFormats : public ::testing::TestWithParam<int> {};

}  // namespace

TEST_P(LazLabelFormats, AsExtraBytes) {
  const auto format = static_cast<std::uint8_t>(GetParam());
  for (const bool compressed : {true, false}) {
    const TemporaryFolder folder;
    write_las(folder / "in.las",
              {.points = 5000, .format = format, .extra = 2, .dimensions = {dimension("echo", 3, 0, 2)}, .compressed = compressed});
    const LasFile input(folder / "in.las");
    const Rows rows = Rows(5000, {"density"}).with_labels();
    const LasFile output = write_laz(folder, input, rows, LazLabels::extra_bytes);
    EXPECT_EQ(output.info.header.point_format, format);
    EXPECT_EQ(output.info.header.record_length, input.info.header.record_length + 4 + 1 + 1 + 4);
    EXPECT_EQ(rows_with_other_labels(output, rows, true), 0U);
    for (std::size_t i = 0; i < 5000; ++i)
      ASSERT_EQ(std::memcmp(output.record(i).data(), input.record(i).data(), input.info.header.record_length), 0) << i;
    ASSERT_EQ(output.info.extra_dimensions.size(), 5U);
    const std::vector<std::pair<std::string, int>> expected{
        {"echo", 3}, {"density", 9}, {"label", 1}, {"label_source", 1}, {"label_object", 6}};
    for (std::size_t j = 0; j < expected.size(); ++j) {
      EXPECT_EQ(output.info.extra_dimensions[j].name, expected[j].first);
      EXPECT_EQ(output.info.extra_dimensions[j].data_type, expected[j].second);
      EXPECT_FALSE(output.info.extra_dimensions[j].description.empty());
    }
  }
}

TEST_P(LazLabelFormats, InThePlaceOfTheClass) {
  const auto format = static_cast<std::uint8_t>(GetParam());
  const TemporaryFolder folder;
  write_las(folder / "in.laz", {.points = 5000, .format = format});
  const LasFile input(folder / "in.laz");
  const Rows rows = Rows(5000, {"density"}).with_labels(format < 6 ? 31 : 255);
  const LasFile output = write_laz(folder, input, rows, LazLabels::classification);
  EXPECT_EQ(decoded_classes(output), rows.labels);
  EXPECT_NE(decoded_classes(input), rows.labels);
  EXPECT_EQ(rows_with_other_labels(output, rows, false), 0U);
  EXPECT_EQ(output.info.extra_dimensions.size(), 3U);
  // All other bits are the input's: LAS keeps three flags above the class up to format 5, and nothing beside it from 6 on.
  const std::size_t place = format < 6 ? 15 : 16;
  for (std::size_t i = 0; i < 5000; ++i) {
    std::vector<std::byte> expected(input.record(i).begin(), input.record(i).end());
    expected[place] = (format < 6 ? expected[place] & std::byte{0xE0} : std::byte{0}) | std::byte{rows.labels[i]};
    ASSERT_EQ(std::memcmp(output.record(i).data(), expected.data(), expected.size()), 0) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, LazLabelFormats, ::testing::Range(0, 11));

TEST(LazLabels, ClassesThatDoNotFitAreNamedAndNoFileAppears) {
  for (const std::uint8_t format : {std::uint8_t{1}, std::uint8_t{5}}) {
    const TemporaryFolder folder;
    write_las(folder / "in.laz", {.format = format});
    const LasFile input(folder / "in.laz");
    Rows rows = Rows(1000, {"density"}).with_labels(31);
    rows.labels[999] = 71;
    rows.labels[5] = 64;
    rows.labels[7] = 64;
    {
      LazSinkOptions options = options_for(input, one_column);
      options.labels = LazLabels::classification;
      const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, std::move(options));
      try {
        sink->write(rows.rows(0, 1000));
        ADD_FAILURE() << "class 71 does not fit five bits";
      } catch (const InvalidArgument& error) {
        EXPECT_NE(std::string(error.what()).find("64, 71"), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("extra_bytes"), std::string::npos) << error.what();
      }
      EXPECT_THROW(sink->finish(), InvalidArgument);
    }
    EXPECT_EQ(folder.names(), std::vector<std::string>{"in.laz"});
    write_laz(folder, input, rows, LazLabels::extra_bytes);
  }
}

TEST(LazLabels, OfSelectedRows) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", {.points = 50000, .format = 3, .minor = 2});
  const LasFile input(folder / "in.laz");
  LazSinkOptions options = options_for(input, one_column);
  options.rows.emplace();
  for (std::uint32_t i = 3; i < 50000; i += 7) options.rows->push_back(i);
  const Rows rows = Rows(options.rows->size(), {"density"}).with_labels();
  const std::vector<std::uint32_t> picks = *options.rows;
  const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, std::move(options));
  for (const std::size_t start : {4000U, 2000U, 6000U, 0U})
    sink->write(rows.rows(start, std::min<std::size_t>(2000, picks.size() - start)));
  sink->finish();
  const LasFile output(folder / "out.laz");
  EXPECT_EQ(rows_with_other_labels(output, rows, true), 0U);
  for (std::size_t i = 0; i < picks.size(); ++i)
    ASSERT_EQ(std::memcmp(output.record(i).data(), input.record(picks[i]).data(), input.info.header.record_length), 0) << i;
}

TEST(LazLabels, TheObjectTableIsAnEvlr) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", {.points = 100});
  const LasFile input(folder / "in.laz");
  Rows rows = Rows(100, {"density"}).with_labels();
  rows.layout.objects.ids[3] = "two\tfields\nand lines\r\x7F";
  rows.layout.objects.ids[4] = "\xE9t\xE9";
  rows.layout.objects.attributes[10] = std::string(300, 'x');
  const LasFile output = write_laz(folder, input, rows, LazLabels::extra_bytes);
  EXPECT_TRUE(object_records(output.info.vlrs).empty());
  const std::vector<las::Vlr> records = object_records(output.info.evlrs);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].record_id, 1);
  EXPECT_FALSE(records[0].description.empty());
  const std::vector<std::string> lines = lines_of(text_of(records[0]));
  ASSERT_EQ(lines.size(), 101U);
  EXPECT_EQ(lines[0], "row\tid\tlayer\tnature\thauteur");
  EXPECT_EQ(lines[1], "0\tBATIMENT0\t1\tÉglise\t0.5");
  EXPECT_EQ(lines[4], "3\ttwo fields and lines  \t1\t\t3.5");
  EXPECT_EQ(lines[5], "4\t\uFFFDt\uFFFD\t1\tÉglise\t4.5");
  EXPECT_EQ(lines[6], "5\tBATIMENT5\t1\t" + std::string(200, 'x') + "\t5.5");
  EXPECT_EQ(lines[100], "99\tBATIMENT99\t2\t\t99.5");
  // Somebody else's is still there.
  EXPECT_EQ(output.info.evlrs.size(), 2U);
  EXPECT_EQ(output.info.evlrs[0].data, input.info.evlrs[0].data);
}

TEST(LazLabels, WithoutObjectsTheTableHasItsNamesOnly) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", {.points = 10});
  const LasFile input(folder / "in.laz");
  Rows rows = Rows(10, {"density"}).with_labels();
  rows.layout.objects = {};
  const LasFile output = write_laz(folder, input, rows, LazLabels::extra_bytes);
  ASSERT_EQ(object_records(output.info.evlrs).size(), 1U);
  EXPECT_EQ(text_of(object_records(output.info.evlrs)[0]), "row\tid\tlayer\n");
}

TEST(LazLabels, OldVersionsHaveTheTableInVlrs) {
  for (const std::size_t objects : {std::size_t{100}, std::size_t{20000}}) {
    const TemporaryFolder folder;
    write_las(folder / "in.laz", {.points = 100, .format = 1, .minor = 2});
    const LasFile input(folder / "in.laz");
    Rows rows = Rows(100, {"density"}).with_labels();
    while (rows.layout.objects.ids.size() < objects) {
      rows.layout.objects.ids.push_back("ROUTE" + std::to_string(rows.layout.objects.ids.size()));
      rows.layout.objects.layer.push_back(3);
      rows.layout.objects.attributes.insert(rows.layout.objects.attributes.end(), {"Sentier", std::string(random() % 100, 'y')});
    }
    const LasFile output = write_laz(folder, input, rows, LazLabels::extra_bytes);
    EXPECT_EQ(output.info.header.version_minor, 2);
    EXPECT_EQ(rows_with_other_labels(output, rows, true), 0U);
    const std::vector<las::Vlr> records = object_records(output.info.vlrs);
    EXPECT_EQ(records.size() > 1, objects > 100);
    std::size_t row = 0;
    for (std::size_t part = 0; part < records.size(); ++part) {
      EXPECT_EQ(records[part].record_id, part + 1);
      const std::vector<std::string> lines = lines_of(text_of(records[part]));
      EXPECT_EQ(lines[0], "row\tid\tlayer\tnature\thauteur");
      for (std::size_t i = 1; i < lines.size(); ++i, ++row) {
        const std::string expected = std::to_string(row) + "\t" + rows.layout.objects.ids[row] + "\t" +
                                     std::to_string(rows.layout.objects.layer[row]) + "\t" + rows.layout.objects.attributes[2 * row] +
                                     "\t" + rows.layout.objects.attributes[2 * row + 1];
        ASSERT_EQ(lines[i], expected);
      }
    }
    EXPECT_EQ(row, objects);
  }
}

TEST(LazLabels, ATableThatNoVlrHoldsIsLeftOut) {
  for (const bool long_names : {false, true}) {
    const TemporaryFolder folder;
    write_las(folder / "in.laz", {.points = 100, .format = 0, .minor = 0});
    const LasFile input(folder / "in.laz");
    Rows rows = Rows(100, {"density"}).with_labels();
    ObjectTable& objects = rows.layout.objects;
    objects.attribute_names.assign(400, long_names ? std::string(200, 'n') : "n");
    objects.attributes.assign(100 * 400, long_names ? "" : std::string(200, 'v'));
    const LasFile output = write_laz(folder, input, rows, LazLabels::extra_bytes);
    EXPECT_TRUE(object_records(output.info.vlrs).empty());
    EXPECT_EQ(rows_with_other_labels(output, rows, true), 0U);
  }
}

TEST(LazLabels, AnOutputProcessedAgainHasOneTable) {
  for (const std::uint8_t format : {std::uint8_t{6}, std::uint8_t{1}}) {
    const TemporaryFolder folder;
    write_las(folder / "in.laz", {.points = 500, .format = format, .minor = static_cast<std::uint8_t>(format == 6 ? 4 : 2)});
    Rows first_rows = Rows(500, {"density"}).with_labels();
    for (std::string& value : first_rows.layout.objects.attributes) value.assign(200, 'o');
    for (int i = 0; i < 500; ++i) {  // several VLRs in the old version
      first_rows.layout.objects.ids.push_back("OLD" + std::to_string(i));
      first_rows.layout.objects.layer.push_back(1);
      first_rows.layout.objects.attributes.insert(first_rows.layout.objects.attributes.end(), {std::string(200, 'o'), "o"});
    }
    const LasFile first = write_laz(folder, LasFile(folder / "in.laz"), first_rows, LazLabels::extra_bytes);
    Rows rows = Rows(500, {"density"}).with_labels(30);
    const LasFile second = write_laz(folder, first, rows, LazLabels::extra_bytes);
    std::vector<las::Vlr> all = object_records(second.info.vlrs);
    for (const las::Vlr& record : object_records(second.info.evlrs)) all.push_back(record);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(lines_of(text_of(all[0])).size(), 101U);
    EXPECT_EQ(text_of(all[0]).find("OLD"), std::string::npos);
    EXPECT_EQ(second.info.vlrs.size() + second.info.evlrs.size(),
              LasFile(folder / "in.laz").info.vlrs.size() + LasFile(folder / "in.laz").info.evlrs.size() + 2);
    EXPECT_EQ(rows_with_other_labels(second, first_rows, true), 0U);
    EXPECT_EQ(rows_with_other_labels(second, rows, true, "tuile_"), 0U);
    EXPECT_EQ(second.info.extra_dimensions.size(), 8U);
  }
}

TEST(LazLabels, AnOutputProcessedWithoutLabelsKeepsThem) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", {.points = 500});
  const Rows labelled = Rows(500, {"density"}).with_labels();
  const LasFile first = write_laz(folder, LasFile(folder / "in.laz"), labelled, LazLabels::extra_bytes);
  const LasFile second = write_laz(folder, first, Rows(500, {"density"}), LazLabels::extra_bytes);
  EXPECT_EQ(rows_with_other_labels(second, labelled, true), 0U);
  ASSERT_EQ(object_records(second.info.evlrs).size(), 1U);
  EXPECT_EQ(object_records(second.info.evlrs)[0].data, object_records(first.info.evlrs)[0].data);
}

TEST(LazLabels, AFeatureOfTheSameName) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", {.points = 100});
  const Rows rows = Rows(100, {"density"}).with_labels();
  const LasFile output = write_laz(folder, LasFile(folder / "in.laz"), rows, LazLabels::extra_bytes, {{0, "label", "a feature"}});
  EXPECT_EQ(output.info.extra_dimensions[0].name, "label");
  EXPECT_EQ(output.info.extra_dimensions[0].data_type, 9);
  EXPECT_EQ(output.info.extra_dimensions[1].name, "tuile_label");
  const std::size_t place = place_of(output.info, "tuile_label");
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(value_at<std::uint8_t>(output.record(i), place), rows.labels[i]);
}

TEST(LazLabels, BlocksAndTablesThatDoNotFitAreRefused) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", {.points = 100});
  const LasFile input(folder / "in.laz");
  const Rows rows = Rows(100, {"density"}).with_labels();
  {
    const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, options_for(input, one_column));
    for (const int missing : {0, 1, 2}) {
      RowBlock block = rows.rows(0, 100);
      if (missing == 0) block.labels = block.labels.first(99);
      if (missing == 1) block.label_source = {};
      if (missing == 2) block.label_object = {};
      EXPECT_THROW(sink->write(block), InvalidArgument) << missing;
    }
    const Rows unlabelled(100, {"density"});
    const std::unique_ptr<Sink> plain = make_laz_sink(folder / "plain.laz", unlabelled.layout, options_for(input, one_column));
    EXPECT_THROW(plain->write(rows.rows(0, 100)), InvalidArgument);
  }
  const auto refused = [&](auto&& change) {
    TileLayout layout = rows.layout;
    change(layout);
    Executor executor(1);
    EXPECT_THROW(make_laz_sink(folder / "out.laz", layout, options_for(input, one_column)), InvalidArgument);
    EXPECT_THROW(make_npz_sink(folder / "out.npz", layout, Compression::none, executor), InvalidArgument);
  };
  refused([](TileLayout& layout) { layout.objects.layer.pop_back(); });
  refused([](TileLayout& layout) { layout.objects.attributes.pop_back(); });
  refused([](TileLayout& layout) { layout.labels = false; });
  EXPECT_EQ(folder.names(), std::vector<std::string>{"in.laz"});
}
