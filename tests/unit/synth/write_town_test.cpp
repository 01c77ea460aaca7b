#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <stop_token>
#include <thread>

#include "folder.hpp"
#include "imagery/imagery.hpp"
#include "las/records.hpp"
#include "synth/map_layers.hpp"
#include "synth/sampling.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/file/temporaries.hpp"
#include "tuile/las/decode.hpp"
#include "tuile/source/byte_source.hpp"

namespace tuile::synth {
namespace {

TownOptions small_town(int point_format) {
  TownOptions options;
  options.tiles_x = 2;
  options.tiles_y = 1;
  options.size = 70;
  options.point_format = point_format;
  return options;
}

TEST(WriteTown, ReadsBackAsSampled) {
  for (const int format : {6, 8}) {
    const Folder folder;
    Executor executor(2);
    const TownOptions options = small_town(format);
    const auto paths = write_town(options, folder.path(), executor);
    ASSERT_EQ(paths.size(), 2U);
    EXPECT_EQ(std::filesystem::path(paths[1]).filename(), "town_1_0.laz");
    const Town town = make_town(options);
    for (int tile = 0; tile < 2; ++tile) {
      const auto expected = sample_tile(town, tile, 0);
      const std::string& path = paths[static_cast<std::size_t>(tile)];
      const auto source = source::open_file(path);
      const las::FileInfo info = las::read_info(*source);
      EXPECT_EQ(info.header.point_format, format);
      EXPECT_EQ(info.header.generating_software, "tuile synth");
      EXPECT_EQ(info.header.global_encoding & 0x11, 0x11);
      EXPECT_EQ(info.crs.epsg, 2154);
      EXPECT_EQ(info.crs.horizontal_unit, 1);
      ASSERT_EQ(info.header.point_count, expected.size());

      std::array<std::int32_t, 3> low{INT32_MAX, INT32_MAX, INT32_MAX}, high{INT32_MIN, INT32_MIN, INT32_MIN};
      std::array<std::uint64_t, 15> by_return{};
      for (const TownPoint& point : expected) {
        const std::array at{point.x, point.y, point.z};
        for (std::size_t axis = 0; axis < 3; ++axis) {
          low[axis] = std::min(low[axis], at[axis]);
          high[axis] = std::max(high[axis], at[axis]);
        }
        ++by_return[point.return_number - 1U];
      }
      for (std::size_t axis = 0; axis < 3; ++axis) {
        EXPECT_NEAR(info.header.min[axis], low[axis] * point_scale, 1e-6);
        EXPECT_NEAR(info.header.max[axis], high[axis] * point_scale, 1e-6);
      }
      EXPECT_EQ(info.header.points_by_return, by_return);

      const auto bytes = bytes_of(path);
      las::DecodeOptions decode_options;
      decode_options.fields = FieldSet{}.with(Field::intensity).with(Field::returns).with(Field::rgb).with(Field::nir);
      const auto decoded = las::decode(bytes, info, decode_options, executor);
      const PointBlock& block = decoded.points;
      ASSERT_EQ(block.size(), expected.size());
      EXPECT_FALSE(block.rounded);
      EXPECT_EQ(block.has_rgb(), format == 8);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ(block.grid.origin[0] + block.units[i].x, expected[i].x);
        ASSERT_EQ(block.grid.origin[1] + block.units[i].y, expected[i].y);
        ASSERT_EQ(block.grid.origin[2] + block.units[i].z, expected[i].z);
        ASSERT_EQ(block.classification[i], expected[i].classification);
        ASSERT_EQ(block.intensity[i], expected[i].intensity);
        ASSERT_EQ(block.return_number[i], expected[i].return_number);
        ASSERT_EQ(block.number_of_returns[i], expected[i].number_of_returns);
        if (format != 8) continue;
        ASSERT_EQ(block.red[i], expected[i].red);
        ASSERT_EQ(block.green[i], expected[i].green);
        ASSERT_EQ(block.blue[i], expected[i].blue);
        ASSERT_EQ(block.nir[i], expected[i].nir);
      }

      // What the block does not carry, from the records (LAS 1.4 R15, table 15).
      las::RecordReader reader(bytes, info);
      std::vector<std::byte> record(info.header.record_length);
      for (const TownPoint& point : expected) {
        reader.read(record);
        const auto field = [&]<class T>(std::size_t at, T) {
          T value;
          std::memcpy(&value, record.data() + at, sizeof(T));
          return value;
        };
        ASSERT_EQ(field(15, std::uint8_t{}), (point.scan_direction ? 0x40 : 0) | (point.edge_of_flight_line ? 0x80 : 0));
        ASSERT_EQ(field(18, std::int16_t{}), point.scan_angle);
        ASSERT_EQ(field(20, std::uint16_t{}), point.point_source_id);
        ASSERT_EQ(field(22, double{}), point.gps_time);
      }
    }
  }
}

TEST(WriteTown, SameBytesWhateverTheThreads) {
  const Folder first, second;
  Executor one(1), many(3);
  const auto a = write_town(small_town(8), first.path(), one), b = write_town(small_town(8), second.path(), many);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(bytes_of(a[i]), bytes_of(b[i]));
    EXPECT_GT(bytes_of(a[i]).size(), 100000U);
  }
  // Nothing unfinished is left behind.
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(first.path())) files += entry.is_regular_file();
  EXPECT_EQ(files, a.size());
}

/// The bytes of a NumPy file of uint8 (N,).
std::vector<std::uint8_t> classes_in(const std::string& path) {
  const auto bytes = bytes_of(path);
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_TRUE(text.starts_with(std::string("\x93NUMPY\x01\x00", 8))) << path;
  const std::size_t begin = 10 + static_cast<unsigned char>(text[8]) + 256U * static_cast<unsigned char>(text[9]);
  EXPECT_EQ(begin % 64, 0U);
  EXPECT_EQ(text[begin - 1], '\n');
  const std::string header = text.substr(10, begin - 10), values = text.substr(begin);
  EXPECT_NE(header.find("'descr': '|u1'"), std::string::npos) << header;
  EXPECT_NE(header.find("'fortran_order': False"), std::string::npos) << header;
  EXPECT_NE(header.find("'shape': (" + std::to_string(values.size()) + ",)"), std::string::npos) << header;
  return {values.begin(), values.end()};
}

TEST(WriteTown, GroundTruthGoesWithThePoints) {
  const Folder folder;
  Executor executor(2);
  TownOptions options = small_town(8);
  options.size = 120;
  options.ground_truth = true;
  const auto tiles = write_town(options, folder.path(), executor);
  const TownPaths paths = town_paths(options, folder.path());
  EXPECT_EQ(tiles, paths.tiles);
  const Town town = make_town(options);
  const auto photos = imagery::open_rasters({paths.ortho_rgb, paths.ortho_irc});
  const imagery::Colours colours = photos->fetch(town.bounds(), 2154, FieldSet{}.with(Field::rgb).with(Field::nir), {});
  ASSERT_EQ(colours.rgb_outcome, Outcome::data) << colours.reason;
  ASSERT_EQ(colours.nir_outcome, Outcome::data) << colours.reason;
  EXPECT_EQ(colours.rgb.pixel, 0.2);
  std::map<int, std::pair<std::size_t, std::size_t>> alike;  // per class: points whose colours are the pixel's, and all
  for (int tile = 0; tile < 2; ++tile) {
    const auto points = sample_tile(town, tile, 0);
    const auto classes = classes_in(paths.classes[static_cast<std::size_t>(tile)]);
    ASSERT_EQ(classes.size(), points.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
      ASSERT_EQ(classes[i], points[i].object_class);
      const auto pixel = [&](const imagery::Raster& raster, std::size_t band) {
        const auto column = static_cast<std::size_t>((points[i].x * point_scale - raster.west) / raster.pixel);
        const auto row = static_cast<std::size_t>((raster.north - points[i].y * point_scale) / raster.pixel);
        return double{1} * raster.values[(row * raster.columns + column) * raster.bands + band];
      };
      // Points' colours have noise of 6 %.
      const auto near = [](double seen, double expected) { return std::abs(seen - expected) < 0.25 * expected; };
      auto& [same, all] = alike[points[i].object_class];
      same += near(points[i].red, pixel(colours.rgb, 0)) && near(points[i].green, pixel(colours.rgb, 1)) &&
              near(points[i].blue, pixel(colours.rgb, 2)) && near(points[i].nir, pixel(colours.nir, 0));
      ++all;
    }
  }
  // Roofs' share of walls and what crowns cover differ; what lies open does not.
  for (const auto& [code, share] : std::map<int, double>{{5, 0.9}, {6, 0.7}, {9, 0.9}, {11, 0.95}}) {
    const auto [same, all] = alike[code];
    EXPECT_GT(static_cast<double>(same), share * static_cast<double>(all)) << "class " << code << ": " << same << " of " << all;
    EXPECT_GT(all, 100U) << "class " << code;
  }
}

TEST(WriteTown, GroundTruthHasTheSameBytesWhateverTheThreads) {
  const Folder first, second;
  Executor one(1), many(4);
  TownOptions options = small_town(6);
  options.ground_truth = true;
  write_town(options, first.path(), one);
  write_town(options, second.path(), many);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(first.path())) {
    if (!entry.is_regular_file()) continue;
    const auto name = std::filesystem::relative(entry.path(), first.path());
    EXPECT_TRUE(bytes_of(entry.path().string()) == bytes_of((std::filesystem::path(second.path()) / name).string())) << name;
    ++files;
  }
  EXPECT_EQ(files, 7U);  // two tiles, their classes, the map, two images
}

TEST(WriteTown, MapReadsBackAsPlanned) {
  const Folder folder;
  Executor executor(1);
  TownOptions options = small_town(6);
  options.ground_truth = true;
  write_town(options, folder.path(), executor);
  const auto map = truth::open_vector_files(town_paths(options, folder.path()).ground_truth);
  const Town town = make_town(options);
  for (const truth::VectorLayer& layer : map_layers(town)) {
    // A box inside the town: an empty layer is confirmed empty.
    const truth::FetchResult found = map->fetch(layer.name, town.bounds().expanded(10), 2154, {});
    ASSERT_TRUE(is_sound(found.outcome)) << layer.name << ": " << found.reason;
    EXPECT_LE(found.features.size(), layer.features.size());
    std::map<std::string, const truth::Feature*> planned;
    for (const truth::Feature& feature : layer.features) planned[feature.id] = &feature;
    for (const truth::Feature& feature : found.features) {
      ASSERT_TRUE(planned.contains(feature.id)) << feature.id;
      EXPECT_EQ(feature.geometry, planned[feature.id]->geometry) << feature.id;
      for (const auto& [name, value] : planned[feature.id]->attributes) {
        ASSERT_NE(feature.find(name), nullptr) << layer.name << "." << name;
        EXPECT_EQ(truth::to_text(*feature.find(name)), truth::to_text(value)) << layer.name << "." << name;
      }
    }
    EXPECT_GE(found.features.size(), layer.name == "batiment" ? 3U : 0U);
  }
}

/// Names of what is in `folder`, sorted.
std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(WriteTown, RunsIntoOneFolderDoNotMix) {
  const Folder shared, first, second;
  TownOptions options[2] = {small_town(6), small_town(6)};
  options[1].seed = 2;
  Executor executor(2);
  const auto a = write_town(options[0], first.path(), executor), b = write_town(options[1], second.path(), executor);
  {
    std::vector<std::jthread> runs;
    for (const TownOptions& each : options) {
      runs.emplace_back([&shared, &each] {
        Executor own(2);
        EXPECT_NO_THROW(write_town(each, shared.path(), own));
      });
    }
  }
  EXPECT_EQ(names_in(shared.path() + "/tiles"), (std::vector<std::string>{"town_0_0.laz", "town_1_0.laz"}));
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto found = bytes_of(shared.path() + "/tiles/" + std::filesystem::path(a[i]).filename().string());
    EXPECT_TRUE(found == bytes_of(a[i]) || found == bytes_of(b[i])) << i;
  }
}

TEST(WriteTown, StopLeavesNothingUnfinished) {
  const Folder folder;
  Executor executor(2);
  std::stop_source before;
  before.request_stop();
  EXPECT_THROW(write_town(small_town(6), folder.path(), executor, before.get_token()), Cancelled);
  EXPECT_TRUE(names_in(folder.path()).empty());

  TownOptions options = small_town(6);  // millions of points: stopped long before its end
  options.size = 1000;
  std::stop_source stop;
  std::jthread watcher([&](const std::stop_token& end) {
    std::error_code error;
    while (!end.stop_requested() &&
           std::filesystem::directory_iterator(folder.path() + "/tiles", error) == std::filesystem::directory_iterator())
      std::this_thread::yield();
    stop.request_stop();
  });
  EXPECT_THROW(write_town(options, folder.path(), executor, stop.get_token()), Cancelled);
  EXPECT_TRUE(names_in(folder.path() + "/tiles").empty());
}

TEST(WriteTown, FailureLeavesNothingUnfinished) {
  const Folder folder;
  std::filesystem::create_directories(folder.path() + "/tiles/town_1_0.laz");
  Executor executor(1);
  try {
    write_town(small_town(6), folder.path(), executor);
    FAIL() << "a file stands where a folder was";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("town_1_0.laz"), std::string::npos) << error.what();
  }
  for (const std::string& name : names_in(folder.path() + "/tiles")) EXPECT_FALSE(is_temporary_name(name)) << name;
}

TEST(WriteTown, RemovesWhatKilledRunsLeft) {
  const Folder folder;
  const std::string tiles = folder.path() + "/tiles/";
  std::filesystem::create_directories(tiles);
  const std::string going_on = temporary_name("town_0_0.laz");
  for (const std::string& name : {temporary_name("town_0_0.laz"), temporary_name("town_9_9.laz"), going_on, std::string("notes.txt")})
    std::ofstream(tiles + name) << "x";
  const int held = ::open((tiles + going_on).c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(held, LOCK_EX), 0);  // of a run that goes on
  Executor executor(1);
  write_town(small_town(6), folder.path(), executor);
  ::close(held);
  EXPECT_EQ(names_in(tiles), (std::vector<std::string>{going_on, "notes.txt", "town_0_0.laz", "town_1_0.laz"}));
}

TEST(WriteTown, NamesTheFolderItCannotMake) {
  const Folder folder;
  std::ofstream(folder.path() + "/tiles") << "a file";
  Executor executor(1);
  try {
    write_town(small_town(6), folder.path(), executor);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("tiles"), std::string::npos);
  }
}

}  // namespace
}  // namespace tuile::synth
