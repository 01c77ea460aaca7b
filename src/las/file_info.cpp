#include "tuile/las/file_info.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "las/byte_reader.hpp"
#include "las/copc.hpp"
#include "las/crs.hpp"
#include "las/extra_bytes.hpp"
#include "las/header.hpp"
#include "las/laszip_record.hpp"
#include "las/record_format.hpp"
#include "las/records.hpp"
#include "las/vlr.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

constexpr double finest_grid = 0.001;            // metres
constexpr std::int64_t origin_step = 1000;       // units
constexpr std::uint64_t first_read = 64 * 1024;  // header and VLRs of nearly every file

// A compressed point takes some bits; a file of equal points has thousands a byte. What exceeds this is a lie, and would cost
// memory before the decoder finds out.
constexpr std::uint64_t free_points = 1'000'000;
constexpr std::uint64_t points_per_byte = 16'384;

void check_compressed_count(const Header& header, std::uint64_t file_size) {
  const std::uint64_t bytes = file_size - header.point_data_offset;
  if (header.point_count > free_points + bytes * points_per_byte) {
    throw CorruptData("the header says " + std::to_string(header.point_count) + " points but the file holds only " + std::to_string(bytes) +
                      " compressed bytes; the file is truncated or its header damaged, copy it again");
  }
  if (header.point_count > 0 && bytes == 0) {
    throw CorruptData("the header says " + std::to_string(header.point_count) +
                      " points but the file ends where they should start; the file is truncated, copy it again");
  }
}

}  // namespace

Bounds FileInfo::bounds() const noexcept {
  if (header.point_count == 0) return {};
  const double unit = crs.horizontal_unit;
  return {header.min[0] * unit, header.min[1] * unit, header.max[0] * unit, header.max[1] * unit};
}

double FileInfo::grid_scale() const noexcept {
  const double finest =
      std::min({header.scale[0] * crs.horizontal_unit, header.scale[1] * crs.horizontal_unit, header.scale[2] * crs.vertical_unit});
  return std::max(finest, finest_grid);
}

Grid FileInfo::grid() const {
  Grid grid;
  grid.scale = grid_scale();
  if (header.point_count == 0) return grid;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const double unit = axis == 2 ? crs.vertical_unit : crs.horizontal_unit;
    const double units = header.min[axis] * unit / grid.scale;
    if (!(std::abs(units) < 9e15)) {
      throw Unsupported("the header's minimum " + std::to_string(header.min[axis]) + " cannot be counted in units of " +
                        std::to_string(grid.scale) + " m; store the file with a coarser scale");
    }
    const std::int64_t nearest = std::llround(units);
    const std::int64_t remainder = nearest % origin_step;
    grid.origin[axis] = nearest - remainder - (remainder < 0 ? origin_step : 0);
  }
  return grid;
}

FieldSet FileInfo::fields() const noexcept {
  FieldSet fields = FieldSet{}.with(Field::intensity).with(Field::returns);
  const std::uint8_t format = header.point_format;
  if (format == 2 || format == 3 || format == 5 || format == 7 || format == 8 || format == 10) fields = fields.with(Field::rgb);
  if (format == 8 || format == 10) fields = fields.with(Field::nir);
  return fields;
}

FileInfo read_info(const source::ByteSource& source) {
  FileInfo info;
  std::vector<std::byte> head(std::min(source.size(), first_read));
  if (!head.empty()) source.read(0, head);
  info.header = parse_header(head, source.size(), info.warnings);
  const Header& header = info.header;
  const std::size_t known = head.size();
  if (header.point_data_offset > known) {
    source::append_bytes(source, known, header.point_data_offset - known, head);
  }
  info.vlrs = parse_vlrs(std::span(head).subspan(header.header_size, header.point_data_offset - header.header_size), header.vlr_count);
  info.evlrs = read_evlrs(source, header);
  info.crs = find_crs(header, info.vlrs, info.evlrs, info.warnings);
  const auto extra = static_cast<std::uint16_t>(header.record_length - standard_record_length(header.point_format));
  std::vector<Vlr> described;
  for (const std::vector<Vlr>* records : {&info.vlrs, &info.evlrs}) {
    std::copy_if(records->begin(), records->end(), std::back_inserter(described), is_extra_bytes);
  }
  info.extra_dimensions = parse_extra_dimensions(described, extra, info.warnings);
  if (header.compressed) {
    info.laszip = require_laszip_record(header, info.vlrs).info;
    check_compressed_count(header, source.size());
  }
  info.copc = parse_copc_info(header, info.vlrs, source.size(), info.warnings);
  return info;
}

void check_end(const source::ByteSource& source, const FileInfo& info) {
  if (!info.header.compressed || info.header.point_count == 0) return;
  const auto number_at = [&](std::uint64_t offset) {
    std::array<std::byte, sizeof(std::int64_t)> bytes{};
    source.read(offset, bytes);
    return load<std::int64_t>(bytes.data());
  };
  const std::uint64_t start = info.header.point_data_offset, size = source.size();
  constexpr std::uint64_t number = sizeof(std::int64_t);
  std::int64_t position = size < start + number ? 0 : number_at(start);
  if (position == -1) position = number_at(size - number);  // of a writer that could not seek back
  if (position <= static_cast<std::int64_t>(start) || static_cast<std::uint64_t>(position) > size - number) {
    throw CorruptData("the chunk table should stand at byte " + std::to_string(position) + " and the file has " + std::to_string(size) +
                      "; it is truncated or damaged, copy it again");
  }
}

}  // namespace tuile::las
