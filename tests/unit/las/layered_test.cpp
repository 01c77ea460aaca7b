#include <gtest/gtest.h>

#include <array>
#include <random>
#include <span>
#include <utility>

#include "las/chunk_table.hpp"
#include "las/laszip_record.hpp"
#include "las/layer_writer.hpp"
#include "las/layered_models.hpp"
#include "las/layered_points.hpp"
#include "las/record_codec.hpp"
#include "las/record_format.hpp"
#include "las_files.hpp"

namespace tuile::las::test {
namespace {

/// Records that look at every corner of the coder: channels that come and go, returns in disorder, times that step, jump and repeat, and
/// attributes that hold still for long stretches or for good.
Bytes wild_records(std::uint8_t format, std::uint16_t length, std::size_t count, unsigned channels, std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  Bytes records(count * length);
  std::int32_t x = 1000, y = -5000, z = 0;
  double times[3] = {1e8, 2.5e8, -7}, step = 1e-5;
  unsigned channel = channels - 1;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = i * length;
    const bool wide = below(500) == 0;
    // Over the edge of 32 bits and round again.
    x = static_cast<std::int32_t>(static_cast<std::uint32_t>(x) + below(wide ? 4'000'000'000U : 40U) - 15U);
    y -= static_cast<std::int32_t>(below(wide ? 70'000U : 300U)) - 155;
    z = below(4) == 0 ? static_cast<std::int32_t>(below(2'000'000)) - 1'000'000 : z + static_cast<std::int32_t>(below(9));
    set(records, at, x);
    set(records, at + 4, y);
    set(records, at + 8, z);
    set(records, at + 12, static_cast<std::uint16_t>(below(3) == 0 ? below(65'536) : 700 + below(50)));
    const unsigned n = below(30) == 0 ? below(16) : 1 + below(3), r = below(30) == 0 ? below(16) : 1 + below(std::max(n, 1U));
    set(records, at + 14, static_cast<std::uint8_t>(r | n << 4U));
    if (below(7) == 0) channel = below(channels);
    // LASzip keeps the old flags in step with the new ones, so any of the four may be set.
    set(records, at + 15, static_cast<std::uint8_t>(below(16) * (below(9) == 0 ? 1U : 0U) | channel << 4U | below(4) << 6U));
    set(records, at + 16, static_cast<std::uint8_t>(below(5) == 0 ? below(256) : 2));
    set(records, at + 17, static_cast<std::uint8_t>(i < count / 2 ? 9 : below(256)));
    set(records, at + 18, static_cast<std::int16_t>(static_cast<int>(below(20) == 0 ? below(60'000) : below(5)) - 30'000));
    set(records, at + 20, static_cast<std::uint16_t>(below(50) == 0 ? below(65'536) : 1234));
    double& time = times[below(40) == 0 ? below(3) : 0];
    switch (below(12)) {
      case 0: break;
      case 1: time += step * below(700); break;
      case 2: time -= step * below(30); break;
      case 3: time = below(30) == 0 ? 1e9 * below(1000) : time + step; break;
      default: time += step;
    }
    set(records, at + 22, time);
    const std::size_t standard = standard_record_length(format);
    for (std::size_t byte = 30; byte < standard; ++byte) {
      const bool grey = i % 1000 < 300 && byte < 36;
      records[at + byte] = grey && byte >= 32 ? records[at + byte - 2] : static_cast<std::byte>(below(3) == 0 ? below(256) : 77);
    }
    for (std::size_t byte = standard; byte < length; ++byte) {
      // One byte that never changes, one that counts, one that is noise.
      records[at + byte] = static_cast<std::byte>((byte - standard) % 3 == 0 ? 5U : (byte - standard) % 3 == 1 ? i & 0xFFU : below(256));
    }
  }
  return records;
}

struct Form {
  std::uint8_t format;
  std::uint16_t extra;
  unsigned channels;
};

class Layered : public testing::TestWithParam<Form> {};

TEST_P(Layered, WildRecordsComeBackAsTheyWereAndLaszipAgrees) {
  const Form form = GetParam();
  const ScratchFolder folder;
  FileInfo layout;
  layout.header.point_format = form.format;
  layout.header.compressed = true;
  layout.header.record_length = static_cast<std::uint16_t>(standard_record_length(form.format) + form.extra);
  if (form.extra > 0) {
    ExtraDimension dimension;
    dimension.name = "noise";
    dimension.size = form.extra;
    layout.extra_dimensions.push_back(dimension);
  }
  const std::size_t count = 120'001;  // three chunks, the last of which is cut
  const Bytes records = wild_records(form.format, layout.header.record_length, count, form.channels, form.format + form.extra);
  const std::string path = folder / "wild.laz";
  RecordWriter writer(path, layout);
  writer.write(records);
  writer.finish();
  const Bytes bytes = read_file(path);
  const FileInfo info = info_of(bytes);
  ASSERT_TRUE(LayeredPoints::supports(info.header, require_laszip_record(info.header, info.vlrs)));
  EXPECT_TRUE(laszip_records(path, info) == records) << "LASzip reads other records than were written";
  EXPECT_TRUE(read_records(bytes, info) == records);

  // In uneven parts, chunks side by side.
  Executor executor(3);
  RecordReader reader(bytes, info, &executor);
  Bytes parts(records.size());
  std::size_t part = 1;
  for (std::size_t at = 0; at < count;) {
    const std::size_t some = std::min(part, count - at);
    reader.read(std::span(parts).subspan(at * layout.header.record_length, some * layout.header.record_length));
    at += some;
    part = part * 7 % 99'991;
  }
  EXPECT_TRUE(parts == records);
}

INSTANTIATE_TEST_SUITE_P(Forms, Layered,
                         testing::Values(Form{6, 0, 1}, Form{7, 0, 1}, Form{8, 7, 1}, Form{6, 3, 3}, Form{7, 4, 4}, Form{8, 3, 2}));

/// LASzip 3.5 writes items of version 3 only. Read as version 4, the points after the first change of channel are nonsense, but LASzip and
/// we have to read the same nonsense.
TEST_P(Layered, VersionFourIsReadAsLaszipReadsIt) {
  const Form form = GetParam();
  const ScratchFolder folder;
  FileInfo layout;
  layout.header.point_format = form.format;
  layout.header.compressed = true;
  const std::uint16_t length = layout.header.record_length = static_cast<std::uint16_t>(standard_record_length(form.format) + form.extra);
  const std::size_t count = 20'000;
  const std::string path = folder / "four.laz";
  RecordWriter writer(path, layout);
  writer.write(wild_records(form.format, length, count, form.channels, 17));
  writer.finish();
  Bytes bytes = read_file(path);
  const std::string user = "laszip encoded";
  const auto found = std::search(bytes.begin(), bytes.end(), std::as_bytes(std::span(user)).begin(), std::as_bytes(std::span(user)).end());
  const auto items = static_cast<std::size_t>(found - bytes.begin()) - 2 + 54 + 32;
  for (std::size_t i = 0; i < at<std::uint16_t>(bytes, items); ++i) set<std::uint16_t>(bytes, items + 2 + 6 * i + 4, 4);
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));

  const FileInfo info = info_of(bytes);
  const LaszipRecord record = require_laszip_record(info.header, info.vlrs);
  ASSERT_EQ(record.items.front().version, 4);
  const Chunk chunk = read_chunks(bytes, info.header, record).at(0);
  LayeredPoints points(info.header, record, {});
  points.start(std::span(bytes).subspan(chunk.offset, chunk.size), count);

  laszip_POINTER laszip = nullptr;
  laszip_BOOL compressed = 0;
  laszip_point* theirs = nullptr;
  ASSERT_EQ(laszip_create(&laszip), 0);
  ASSERT_EQ(laszip_open_reader(laszip, path.c_str(), &compressed), 0);
  ASSERT_EQ(laszip_get_point_pointer(laszip, &theirs), 0);
  const RecordCodec codec(form.format, length);
  Bytes a(length), b(length);
  std::size_t same = 0;
  try {
    for (; same < count && laszip_read_point(laszip) == 0; ++same) {
      codec.to_record(*theirs, a.data());
      points.next();
      points.to_record(b.data());
      if (a != b) break;
    }
  } catch (const CorruptData&) {
    EXPECT_NE(laszip_read_point(laszip), 0) << "we stop at point " << same << ", LASzip goes on";
    same = count;
  }
  laszip_close_reader(laszip);
  laszip_destroy(laszip);
  EXPECT_EQ(a, b) << "point " << same;
  EXPECT_GT(same, 100U);
}

TEST(Layered, APointTooManyOrALayerTooShortIsDamage) {
  const ScratchFolder folder;
  FileInfo layout;
  layout.header.compressed = true;
  const Bytes records = wild_records(6, 30, 5'000, 1, 3);
  RecordWriter writer(folder / "short.laz", layout);
  writer.write(records);
  writer.finish();
  const Bytes bytes = read_file(folder / "short.laz");
  const FileInfo info = info_of(bytes);
  const LaszipRecord record = require_laszip_record(info.header, info.vlrs);
  const Chunk chunk = read_chunks(bytes, info.header, record).at(0);
  const Bytes good(bytes.begin() + static_cast<std::ptrdiff_t>(chunk.offset),
                   bytes.begin() + static_cast<std::ptrdiff_t>(chunk.offset + chunk.size));
  LayeredPoints points(info.header, record, {});
  EXPECT_THROW(points.start(good, 5'001), CorruptData);
  EXPECT_THROW(points.start(std::span(good).first(good.size() - 1), 5'000), CorruptData);
  for (std::size_t layer = 0; layer < 9; ++layer) {
    // Half of the layer's bytes are said to belong to the next one, so the sum is right.
    Bytes damaged = good;
    const std::size_t place = 30 + 4 + 4 * layer, other = layer < 8 ? place + 4 : place - 4;
    const auto size = at<std::uint32_t>(good, place);
    ASSERT_GT(size, 8U);
    set(damaged, place, size / 2);
    set(damaged, other, at<std::uint32_t>(good, other) + size - size / 2);
    points.start(damaged, 5'000);
    EXPECT_THROW(
        {
          for (int i = 0; i < 5'000; ++i) points.next();
        },
        CorruptData)
        << "layer " << layer;
  }
  points.start(good, 5'000);
  Bytes again(records.size());
  for (std::size_t i = 0; i < 5'000; ++i) {
    points.next();
    points.to_record(again.data() + 30 * i);
  }
  EXPECT_TRUE(again == records) << "after damaged chunks";
}

/// Fields chosen in every way give what the whole record has, whatever was not decoded; chunks of every size, one point too.
TEST_P(Layered, EveryChoiceOfFieldsIsTheWholeRecordCutDown) {
  const Form form = GetParam();
  const ScratchFolder folder;
  FileInfo layout;
  layout.header.point_format = form.format;
  layout.header.compressed = true;
  const std::size_t length = standard_record_length(form.format) + std::size_t{form.extra};
  layout.header.record_length = static_cast<std::uint16_t>(length);
  for (const std::size_t count : {std::size_t{1}, std::size_t{50'001}}) {
    Bytes records = wild_records(form.format, layout.header.record_length, count, form.channels, 23);
    // The grid of coordinates is not what this test is about: they must fit it.
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t axis = 0; axis < 3; ++axis)
        set(records, i * length + 4 * axis, at<std::int32_t>(records, i * length + 4 * axis) % 100'000);
    const std::string path = folder / "choice.laz";
    RecordWriter writer(path, layout);
    writer.write(records);
    writer.finish();
    const Bytes bytes = read_file(path);
    const FileInfo info = info_of(bytes);
    const RecordFormat& format = record_format(form.format);
    for (const int threads : {1, 3}) {
      Executor executor(threads);
      for (unsigned bits = 0; bits < 16; ++bits) {
        DecodeOptions options;
        options.fields.bits = static_cast<decltype(options.fields.bits)>(bits);
        const PointBlock points = decode(bytes, info, options, executor).points;
        const FieldSet fields = options.fields;
        const bool rgb = fields.has(Field::rgb) && format.rgb != 0, nir = fields.has(Field::nir) && format.nir != 0;
        ASSERT_EQ(points.size(), count);
        ASSERT_EQ(points.intensity.size(), fields.has(Field::intensity) ? count : 0);
        ASSERT_EQ(points.return_number.size(), fields.has(Field::returns) ? count : 0);
        ASSERT_EQ(points.red.size(), rgb ? count : 0);
        ASSERT_EQ(points.nir.size(), nir ? count : 0);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < count; ++i) {
          const std::size_t from = i * length;
          bool same = std::to_integer<unsigned>(records[from + 16]) == points.classification[i];
          for (std::size_t axis = 0; axis < 3; ++axis) {
            const GridPoint &here = points.units[i], &first = points.units[0];
            const std::int64_t steps[] = {here.x - first.x, here.y - first.y, here.z - first.z};
            same = same && steps[axis] == std::int64_t{at<std::int32_t>(records, from + 4 * axis)} - at<std::int32_t>(records, 4 * axis);
          }
          if (fields.has(Field::intensity)) same = same && at<std::uint16_t>(records, from + 12) == points.intensity[i];
          if (fields.has(Field::returns)) {
            const unsigned returns = std::to_integer<unsigned>(records[from + 14]);
            same = same && points.return_number[i] == (returns & 15U) && points.number_of_returns[i] == returns >> 4U;
          }
          const std::size_t colour = from + format.rgb;
          if (rgb) {
            same = same && at<std::uint16_t>(records, colour) == points.red[i] &&
                   at<std::uint16_t>(records, colour + 2) == points.green[i] && at<std::uint16_t>(records, colour + 4) == points.blue[i];
          }
          if (nir) same = same && at<std::uint16_t>(records, colour + 6) == points.nir[i];
          wrong += same ? 0 : 1;
        }
        EXPECT_EQ(wrong, 0U) << "fields " << bits << ", " << threads << " threads, " << count << " points";
      }
    }
  }
}

/// A time that changes its sequence `switches` times, then steps by nothing.
std::uint64_t time_after(int switches) {
  FastModel after_zero;
  after_zero.set_symbols(5);
  ModelMemory memory;
  memory.place(std::array{&after_zero});
  LayerWriter writer(64);
  for (int i = 0; i < switches; ++i) writer.symbol(after_zero, 2);
  writer.symbol(after_zero, 0);
  const std::span<const std::byte> layer = writer.finish();
  Bytes bytes(layer.begin(), layer.end());
  bytes.resize(bytes.size() + 16);
  TimeDecoder times;
  std::vector<FastModel*> models;
  times.list(models);
  ModelMemory decoder_memory;
  decoder_memory.place(models);
  for (FastModel* model : models) model->reset();
  times.begin(42);
  LayerReader in;
  in.open(bytes);
  return times.next(in);
}

TEST(Layered, TimesThatChangeTheirSequenceWithoutEndAreDamage) {
  EXPECT_EQ(time_after(0), 42U);
  EXPECT_EQ(time_after(1), 0U);
  EXPECT_EQ(time_after(4), 42U);
  EXPECT_THROW(time_after(5), CorruptData);
}

TEST(Layered, NumbersThatNoWriterMakesAreDamage) {
  const auto bytes = [](std::uint8_t second, std::uint8_t rest) {
    return Bytes{std::byte{0xFF}, std::byte{second}, std::byte{rest}, std::byte{rest}, {}, {}, {}, {}, {}, {}};
  };
  LayerReader in;
  EXPECT_THROW(in.open(bytes(0xFF, 0xFF)), CorruptData);
  const Bytes largest = bytes(0xFE, 0xFF), beyond = bytes(0xFF, 0x00);
  for (const auto& [layer, good] : {std::pair(largest, true), std::pair(beyond, false)}) {
    in.open(layer);
    if (good)
      EXPECT_EQ(in.raw(16), 0xFFFFU);
    else
      EXPECT_THROW(in.raw(16), CorruptData);
  }
}

}  // namespace
}  // namespace tuile::las::test
