#include "tuile/las/new_file.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "las/record_format.hpp"
#include "las/records.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

constexpr std::size_t records_per_task = 8192;
constexpr std::uint16_t standard_time = 0x01, wkt_crs = 0x10;  // bits of the global encoding

/// Metres of a grid's origin. Where a metre is a whole number of units, the division gives the very double that a reader would write down.
double metres_of(std::int64_t units, double scale) {
  const double per_metre = std::round(1 / scale);
  const bool divides = per_metre >= 1 && std::abs(per_metre * scale - 1) < 1e-12;
  return divides ? static_cast<double>(units) / per_metre : static_cast<double>(units) * scale;
}

void pack_one(const PointBlock& points, std::size_t i, const RecordFormat& format, std::byte* record) {
  RecordBytes out(record);
  out.put(points.units[i]);
  out.put(points.intensity.empty() ? std::uint16_t{0} : points.intensity[i]);
  const unsigned number = points.return_number.empty() ? 1 : points.return_number[i];
  const unsigned count = points.number_of_returns.empty() ? 1 : points.number_of_returns[i];
  out.put(static_cast<std::uint8_t>((number & 0xFU) | ((count & 0xFU) << 4U)));
  out.put(std::uint8_t{0});  // flags, scanner channel
  out.put(points.classification.empty() ? std::uint8_t{1} : points.classification[i]);
  out.put(std::uint8_t{0});   // user data
  out.put(std::int16_t{0});   // scan angle
  out.put(std::uint16_t{0});  // point source
  out.put(0.0);               // GPS time
  if (format.rgb != 0) {
    const bool has = points.has_rgb();
    for (const Buffer<std::uint16_t>* channel : {&points.red, &points.green, &points.blue}) out.put(has ? (*channel)[i] : std::uint16_t{0});
  }
  if (format.nir != 0) out.put(points.nir[i]);
}

}  // namespace

FileInfo new_layout(int point_format, double scale, std::string_view wkt, const std::string& wkt_description, const std::string& software) {
  if (point_format < 6 || point_format > 8) {
    throw Unsupported("a new file of point format " + std::to_string(point_format) + " was asked for; 6, 7 and 8 are written");
  }
  FileInfo layout;
  Header& header = layout.header;
  header.global_encoding = standard_time | wkt_crs;
  header.system_identifier = "tuile";
  header.generating_software = software;
  header.creation_day = 1;
  header.creation_year = 2026;
  header.point_format = static_cast<std::uint8_t>(point_format);
  header.record_length = standard_record_length(header.point_format);
  header.compressed = true;
  header.scale = {scale, scale, scale};
  if (wkt.empty()) return layout;
  Vlr record{0, "LASF_Projection", 2112, wkt_description, {}};
  const std::string text(wkt);
  const auto* bytes = reinterpret_cast<const std::byte*>(text.c_str());
  record.data.assign(bytes, bytes + text.size() + 1);
  layout.vlrs.push_back(std::move(record));
  layout.crs.wkt = text;
  return layout;
}

FileInfo layout_for(const PointBlock& points, std::string_view wkt, const std::string& software) {
  FileInfo layout = new_layout(points.has_nir() ? 8 : points.has_rgb() ? 7 : 6, points.grid.scale, wkt, "OGC WKT", software);
  for (std::size_t axis = 0; axis < 3; ++axis) layout.header.offset[axis] = metres_of(points.grid.origin[axis], points.grid.scale);
  layout.header.point_count = points.size();
  return layout;
}

void pack_records(const PointBlock& points, const FileInfo& layout, std::size_t first, std::span<std::byte> records, Executor* executor) {
  const std::size_t length = layout.header.record_length, count = records.size() / length;
  const RecordFormat& format = record_format(layout.header.point_format);
  const auto pack = [&](std::size_t task) {
    const std::size_t end = std::min(count, (task + 1) * records_per_task);
    for (std::size_t i = task * records_per_task; i < end; ++i) pack_one(points, first + i, format, records.data() + i * length);
  };
  const std::size_t tasks = (count + records_per_task - 1) / records_per_task;
  if (executor != nullptr) {
    executor->for_each(tasks, pack);
  } else {
    for (std::size_t task = 0; task < tasks; ++task) pack(task);
  }
}

}  // namespace tuile::las
