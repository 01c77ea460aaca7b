// Colours from imagery in LAZ files: the point format is raised where it has no room for them.
#include "laz_support.hpp"
#include "tuile/core/error.hpp"
#include "tuile/las/decode.hpp"

using namespace tuile;
using namespace tuile::write;
using tuile::test::dimension;
using tuile::test::LasFile;
using tuile::test::options_for;
using tuile::test::place_of;
using Rows = tuile::test::LazRowsSample;
using tuile::test::TemporaryFolder;
using tuile::test::value_at;
using tuile::test::write_las;

namespace {

/// The parts that a record of each point format is made of, in order: the LAS 1.4 specification, tables 7 to 17.
struct Part {
  std::string name;
  std::size_t size;
};
std::vector<Part> parts_of(int format) {
  const Part old{"old", 20}, extended{"extended", 30}, time{"time", 8}, rgb{"rgb", 6}, nir{"nir", 2}, wave{"wave", 29};
  switch (format) {
    case 0: return {old};
    case 1: return {old, time};
    case 2: return {old, rgb};
    case 3: return {old, time, rgb};
    case 4: return {old, time, wave};
    case 5: return {old, time, rgb, wave};
    case 6: return {extended};
    case 7: return {extended, rgb};
    case 8: return {extended, rgb, nir};
    case 9: return {extended, wave};
    default: return {extended, rgb, nir, wave};
  }
}

bool has_part(int format, const std::string& name) {
  const std::vector<Part> parts = parts_of(format);
  return std::any_of(parts.begin(), parts.end(), [&](const Part& part) { return part.name == name; });
}

/// A record of `from` taken apart and put together as one of `to`; parts that it lacks are zeros.
std::vector<std::byte> as_format(std::span<const std::byte> record, int from, int to) {
  std::map<std::string, std::vector<std::byte>> found;
  std::size_t at = 0;
  for (const Part& part : parts_of(from)) {
    found[part.name].assign(record.begin() + static_cast<std::ptrdiff_t>(at), record.begin() + static_cast<std::ptrdiff_t>(at + part.size));
    at += part.size;
  }
  std::vector<std::byte> result;
  for (const Part& part : parts_of(to)) {
    found[part.name].resize(part.size);
    result.insert(result.end(), found[part.name].begin(), found[part.name].end());
  }
  result.insert(result.end(), record.begin() + static_cast<std::ptrdiff_t>(at), record.end());
  return result;
}

void put(std::vector<std::byte>& record, int format, const std::string& name, std::span<const std::uint16_t> values) {
  std::size_t at = 0;
  for (const Part& part : parts_of(format)) {
    if (part.name == name) std::memcpy(record.data() + at, values.data(), values.size_bytes());
    at += part.size;
  }
}

struct Image {
  std::vector<std::uint16_t> red, green, blue, nir;
  explicit Image(std::size_t points) {
    std::mt19937 random(3);
    for (std::vector<std::uint16_t>* band : {&red, &green, &blue, &nir})
      for (std::size_t i = 0; i < points; ++i) band->push_back(static_cast<std::uint16_t>(random()));
  }
};

struct Case {
  int format;
  bool rgb, nir;
  int raised;
};
void PrintTo(const Case& value, std::ostream* out) {
  *out << "format " << value.format << (value.rgb ? " rgb" : "") << (value.nir ? " nir" : "") << " to " << value.raised;
}

class LazColourFormats : public ::testing::TestWithParam<Case> {};

}  // namespace

TEST_P(LazColourFormats, AreRaisedAndTheRestIsKept) {
  const auto [format, rgb, nir, raised] = GetParam();
  const bool nir_dimension = nir && format < 6;
  for (const bool extra : {false, true}) {
    for (const bool selected : {false, true}) {
      for (const bool compressed : {true, false}) {
        const TemporaryFolder folder;
        write_las(folder / "in.las", {.points = 1200,
                                      .format = static_cast<std::uint8_t>(format),
                                      .extra = extra ? 7U : 0U,
                                      .dimensions = extra ? std::vector{dimension("echo", 3, 0, 2), dimension("height", 9, 2, 4)}
                                                          : std::vector<las::ExtraDimension>{},
                                      .compressed = compressed});
        const LasFile input(folder / "in.las");
        LazSinkOptions options = options_for(input, {{0, "density", ""}});
        std::vector<std::uint32_t> picks;
        for (std::uint32_t i = selected ? 2 : 0; i < 1200; i += selected ? 3 : 1) picks.push_back(i);
        if (selected) options.rows = picks;
        const Image image(picks.size());
        if (rgb) options.colours = {image.red, image.green, image.blue, {}};
        if (nir) options.colours.nir = image.nir;
        const Rows rows = Rows(picks.size(), {"density"}).with_labels();
        const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, std::move(options));
        const std::size_t half = picks.size() / 2;
        sink->write(rows.rows(half, picks.size() - half));
        sink->write(rows.rows(0, half));
        sink->finish();

        const LasFile output(folder / "out.laz");
        ASSERT_EQ(output.info.header.point_format, raised);
        EXPECT_TRUE(output.info.warnings.empty());
        EXPECT_EQ(output.info.header.version_minor, 4);
        EXPECT_EQ(output.info.evlrs.size(), 2U);
        const std::size_t density = place_of(output.info, "density"), object = place_of(output.info, "label_object");
        const std::size_t nir_place = nir_dimension ? place_of(output.info, "nir") : 0;
        if (extra) {
          EXPECT_EQ(place_of(output.info, "height"), las::standard_record_length(static_cast<std::uint8_t>(raised)) + 2U);
        }
        for (std::size_t i = 0; i < picks.size(); ++i) {
          std::vector<std::byte> expected = as_format(input.record(picks[i]), format, raised);
          const std::array<std::uint16_t, 3> colour{image.red[i], image.green[i], image.blue[i]};
          if (rgb) put(expected, raised, "rgb", colour);
          if (nir) put(expected, raised, "nir", std::span(image.nir).subspan(i, 1));
          const std::span<const std::byte> found = output.record(i);
          ASSERT_EQ(std::memcmp(found.data(), expected.data(), expected.size()), 0) << "record " << i;
          ASSERT_EQ(value_at<float>(found, density), rows.features[i]);
          ASSERT_EQ(value_at<std::int32_t>(found, object), rows.label_object[i]);
          if (nir_dimension) {
            ASSERT_EQ(value_at<std::uint16_t>(found, nir_place), image.nir[i]);
          }
        }

        // As the decoder reads it.
        Executor executor(1);
        las::DecodeOptions decode;
        decode.fields = output.info.fields();
        const las::DecodeResult decoded = las::decode(output.bytes.span(), output.info, decode, executor);
        const auto expect_band = [&](const Buffer<std::uint16_t>& band, const std::vector<std::uint16_t>& given) {
          EXPECT_TRUE(std::equal(band.begin(), band.end(), given.begin(), given.end()));
        };
        if (rgb) {
          expect_band(decoded.points.red, image.red);
          expect_band(decoded.points.green, image.green);
          expect_band(decoded.points.blue, image.blue);
        }
        if (nir && !nir_dimension) expect_band(decoded.points.nir, image.nir);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, LazColourFormats,
                         ::testing::Values(Case{0, true, false, 2}, Case{1, true, false, 3}, Case{2, true, false, 2},
                                           Case{3, true, false, 3}, Case{4, true, false, 5}, Case{5, true, false, 5},
                                           Case{6, true, false, 7}, Case{7, true, false, 7}, Case{8, true, false, 8},
                                           Case{9, true, false, 10}, Case{10, true, false, 10}, Case{0, true, true, 2},
                                           Case{1, true, true, 3}, Case{2, true, true, 2}, Case{3, true, true, 3}, Case{4, true, true, 5},
                                           Case{5, true, true, 5}, Case{6, true, true, 8}, Case{7, true, true, 8}, Case{8, true, true, 8},
                                           Case{9, true, true, 10}, Case{10, true, true, 10}, Case{0, false, true, 0},
                                           Case{3, false, true, 3}, Case{4, false, true, 4}, Case{6, false, true, 8},
                                           Case{7, false, true, 8}, Case{8, false, true, 8}, Case{9, false, true, 10},
                                           Case{10, false, true, 10}));

TEST(LazColours, EveryFormatHasItsCaseAndItsRoom) {
  for (int format = 0; format <= 10; ++format) {
    std::size_t length = 0;
    for (const Part& part : parts_of(format)) length += part.size;
    EXPECT_EQ(length, las::standard_record_length(static_cast<std::uint8_t>(format)));
    const bool colours = las::record_format(static_cast<std::uint8_t>(format)).rgb != 0;
    EXPECT_EQ(colours, has_part(format, "rgb"));
  }
}

TEST(LazColours, VersionsThatKnowNoColoursAreRaisedToo) {
  for (const std::uint8_t minor : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3}}) {
    const TemporaryFolder folder;
    write_las(folder / "in.laz", {.points = 100, .format = 1, .minor = minor});
    const LasFile input(folder / "in.laz");
    LazSinkOptions options = options_for(input, {});
    const Image image(100);
    options.colours = {image.red, image.green, image.blue, image.nir};
    const Rows rows(100, {});
    const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, std::move(options));
    sink->write(rows.rows(0, 100));
    sink->finish();
    const LasFile output(folder / "out.laz");
    EXPECT_EQ(output.info.header.point_format, 3);
    EXPECT_EQ(output.info.header.version_minor, std::max<int>(minor, 2));
    EXPECT_EQ(output.info.header.record_length, 34 + 2);
    EXPECT_EQ(value_at<std::uint16_t>(output.record(9), 28), image.red[9]);
    EXPECT_EQ(value_at<std::uint16_t>(output.record(9), 34), image.nir[9]);
  }
}

TEST(LazColours, WaveformsOfLas13StayWhereTheyAre) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", {.points = 100, .format = 4, .minor = 3});
  const LasFile input(folder / "in.laz");
  ASSERT_EQ(input.info.evlrs.size(), 1U);
  LazSinkOptions options = options_for(input, {});
  const Image image(100);
  options.colours = {image.red, image.green, image.blue, {}};
  const Rows rows = Rows(100, {}).with_labels();
  const std::unique_ptr<Sink> sink = make_laz_sink(folder / "out.laz", rows.layout, std::move(options));
  sink->write(rows.rows(0, 100));
  sink->finish();
  const LasFile output(folder / "out.laz");
  EXPECT_EQ(output.info.header.version_minor, 3);
  EXPECT_EQ(output.info.header.point_format, 5);
  ASSERT_EQ(output.info.evlrs.size(), 1U);
  EXPECT_EQ(output.info.evlrs[0].data, input.info.evlrs[0].data);
  EXPECT_EQ(std::memcmp(output.record(7).data() + 34, input.record(7).data() + 28, 29), 0);
}

TEST(LazColours, CountsThatDisagreeAreRefused) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", {.points = 100});
  const LasFile input(folder / "in.laz");
  const Image image(101);
  const auto first = [](const std::vector<std::uint16_t>& band, std::size_t count) { return std::span(band).first(count); };
  const Rows rows(100, {});
  for (const LazColours& colours : {LazColours{first(image.red, 100), first(image.green, 99), first(image.blue, 100), {}},
                                    LazColours{first(image.red, 100), {}, {}, {}}, LazColours{image.red, image.green, image.blue, {}},
                                    LazColours{{}, {}, {}, first(image.nir, 99)}}) {
    LazSinkOptions options = options_for(input, {});
    options.colours = colours;
    EXPECT_THROW(make_laz_sink(folder / "out.laz", rows.layout, std::move(options)), InvalidArgument);
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"in.laz"});
}

TEST(LazColours, ARecordThatWouldBecomeTooLongIsRefused) {
  const TemporaryFolder folder;
  write_las(folder / "in.laz", {.points = 1, .extra = 65535 - 30 - 8, .compressed = false});
  const LasFile input(folder / "in.laz");
  const Image image(1);
  for (const bool labels : {false, true}) {
    Rows rows(1, {"density"});
    if (labels) rows.with_labels();
    LazSinkOptions options = options_for(input, {{0, "density", ""}});
    options.colours = {image.red, image.green, image.blue, {}};
    EXPECT_THROW(make_laz_sink(folder / "out.laz", rows.layout, std::move(options)), InvalidArgument);
  }
}
