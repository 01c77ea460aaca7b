#pragma once

#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "las/record_format.hpp"
#include "las/records.hpp"
#include "tuile/source/byte_source.hpp"
#include "tuile/write/laz_sink.hpp"
#include "write_support.hpp"

namespace tuile::test {

/// A whole file: what it says of itself and its uncompressed records.
struct LasFile {
  las::FileInfo info;
  Buffer<std::byte> bytes;
  std::vector<std::byte> records;

  explicit LasFile(const std::filesystem::path& path) {
    const auto source = source::open_file(path.string());
    info = las::read_info(*source);
    bytes = source::read_all(*source);
    records.resize(info.header.point_count * info.header.record_length);
    if (!records.empty()) las::RecordReader(bytes.span(), info).read(records);
  }
  std::span<const std::byte> record(std::size_t i) const {
    return std::span(records).subspan(i * info.header.record_length, info.header.record_length);
  }
};

/// A file of points whose every byte is random but for coordinates, returns and times.
struct LasSample {
  std::size_t points = 1000;
  std::uint8_t format = 6, minor = 4;
  std::size_t extra = 0;  ///< bytes behind the standard part of a record
  std::vector<las::ExtraDimension> dimensions{};
  bool compressed = true;
};

/// A VLR and, where the version has them, an EVLR of somebody else stand in it too; in LAS 1.3, whose only EVLR is that of the waveforms,
/// these.
inline void write_las(const std::filesystem::path& path, const LasSample& sample) {
  const las::RecordFormat& format = las::record_format(sample.format);
  las::FileInfo layout;
  layout.header.version_minor = sample.minor;
  layout.header.point_format = sample.format;
  layout.header.record_length = static_cast<std::uint16_t>(format.length + sample.extra);
  layout.header.compressed = sample.compressed;
  layout.header.offset = {770000, 6277000, 0};
  layout.extra_dimensions = sample.dimensions;
  las::Vlr note;
  note.user_id = "somebody";
  note.record_id = 77;
  note.description = "kept byte for byte";
  note.data.assign(100, std::byte{42});
  layout.vlrs.push_back(note);
  note.data.assign(70000, std::byte{43});
  if (sample.minor >= 4) layout.evlrs.push_back(note);
  if (sample.minor == 3 && format.wave_packet != 0) {
    note.user_id = "LASF_Spec";
    note.record_id = 65535;
    layout.header.global_encoding = 1U << 1;  // the waveforms are in this file
    layout.evlrs.push_back(note);
  }
  std::mt19937 random(5);
  std::vector<std::byte> records(sample.points * layout.header.record_length);
  for (std::size_t i = 0; i < sample.points; ++i) {
    std::byte* record = records.data() + i * layout.header.record_length;
    for (std::size_t j = 12; j < layout.header.record_length; ++j) record[j] = static_cast<std::byte>(random());
    const std::array<std::int32_t, 3> xyz{static_cast<std::int32_t>(random() % 100000), static_cast<std::int32_t>(random() % 100000),
                                          static_cast<std::int32_t>(i)};
    std::memcpy(record, xyz.data(), sizeof xyz);
    record[14] = format.extended ? std::byte{0x11} : std::byte{0x09};
    const double time = static_cast<double>(i) * 1e-5;
    if (format.gps_time != 0) std::memcpy(record + format.gps_time, &time, sizeof time);
  }
  las::RecordWriter writer(path.string(), layout);
  writer.write(records);
  writer.finish();
}

/// Of format 6.
inline void write_las(const std::filesystem::path& path, std::size_t points, std::size_t extra, std::vector<las::ExtraDimension> dimensions,
                      bool compressed = true) {
  write_las(path, {.points = points, .extra = extra, .dimensions = std::move(dimensions), .compressed = compressed});
}

inline las::ExtraDimension dimension(const std::string& name, std::uint8_t type, std::size_t offset, std::size_t size) {
  las::ExtraDimension result;
  result.name = name;
  result.description = "of the input";
  result.data_type = type;
  result.offset = static_cast<std::uint16_t>(offset);
  result.size = static_cast<std::uint16_t>(size);
  return result;
}

/// Rows of a tile with values that tell which row and column they are.
struct LazRowsSample {
  write::TileLayout layout;
  std::vector<GridPoint> units;
  std::vector<std::uint8_t> classification;
  std::vector<float> features;
  std::vector<std::uint8_t> labels, label_source;
  std::vector<std::int32_t> label_object;

  LazRowsSample(std::size_t points, std::vector<std::string> names) {
    layout.points = points;
    layout.feature_names = std::move(names);
    units.resize(points);
    classification.resize(points);
    for (std::size_t i = 0; i < points * layout.feature_names.size(); ++i) features.push_back(static_cast<float>(i) * 0.5F);
  }
  /// With labels of at most `largest`, and a table of 100 objects.
  LazRowsSample& with_labels(unsigned largest = 255) {
    layout.labels = true;
    std::mt19937 random(9);
    for (std::uint64_t i = 0; i < layout.points; ++i) {
      labels.push_back(static_cast<std::uint8_t>(random() % (largest + 1)));
      label_source.push_back(static_cast<std::uint8_t>(random()));
      label_object.push_back(static_cast<std::int32_t>(random() % 101) - 1);
    }
    layout.objects.attribute_names = {"nature", "hauteur"};
    for (int i = 0; i < 100; ++i) {
      layout.objects.ids.push_back("BATIMENT" + std::to_string(i));
      layout.objects.layer.push_back(static_cast<std::uint8_t>(1 + i / 50));
      layout.objects.attributes.push_back(i % 2 == 0 ? "Église" : "");
      layout.objects.attributes.push_back(std::to_string(i) + ".5");
    }
    return *this;
  }
  write::RowBlock rows(std::size_t first, std::size_t count) const {
    const std::size_t f = layout.feature_names.size();
    write::RowBlock block;
    block.first_row = first;
    block.units = std::span(units).subspan(first, count);
    block.classification = std::span(classification).subspan(first, count);
    block.features = std::span(features).subspan(first * f, count * f);
    if (layout.labels) {
      block.labels = std::span(labels).subspan(first, count);
      block.label_source = std::span(label_source).subspan(first, count);
      block.label_object = std::span(label_object).subspan(first, count);
    }
    return block;
  }
};

inline write::LazSinkOptions options_for(const LasFile& input, std::vector<write::LazColumn> columns) {
  write::LazSinkOptions options;
  options.columns = std::move(columns);
  options.original = input.info;
  options.read_original = [&input] {
    Buffer<std::byte> copy(input.bytes.size());
    std::copy(input.bytes.begin(), input.bytes.end(), copy.begin());
    return copy;
  };
  return options;
}

/// The value at `offset` of a record.
template <class T>
T value_at(std::span<const std::byte> record, std::size_t offset) {
  T value;
  std::memcpy(&value, record.data() + offset, sizeof value);
  return value;
}

/// Where the dimension `name` stands in a record. Throws where there is none.
inline std::size_t place_of(const las::FileInfo& info, const std::string& name) {
  for (const las::ExtraDimension& dimension : info.extra_dimensions)
    if (dimension.name == name) return las::standard_record_length(info.header.point_format) + dimension.offset;
  throw std::runtime_error("no dimension " + name);
}

}  // namespace tuile::test
