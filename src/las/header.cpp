#include "las/header.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

#include "las/byte_reader.hpp"
#include "las/record_format.hpp"
#include "las/records.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

constexpr std::array<const char*, 3> axis_names{"x", "y", "z"};

std::string number(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

void check_versions(const Header& header) {
  if (header.version_major != 1 || header.version_minor > 4) {
    throw Unsupported("LAS version " + std::to_string(header.version_major) + "." + std::to_string(header.version_minor) +
                      " is not supported; 1.0 to 1.4 are. Rewrite the file as LAS 1.4 (e.g. with PDAL or las2las)");
  }
}

void check_layout(const Header& header, std::uint64_t file_size) {
  const std::uint16_t wanted = standard_header_size(header.version_minor);
  if (header.header_size < wanted || header.header_size > file_size) {
    throw CorruptData("the header says that it has " + std::to_string(header.header_size) + " bytes; LAS 1." +
                      std::to_string(header.version_minor) + " needs " + std::to_string(wanted) + " and the file holds " +
                      std::to_string(file_size) + "; the file is truncated or damaged, copy it again");
  }
  if (header.point_data_offset < header.header_size || header.point_data_offset > file_size) {
    throw CorruptData("the header says that the points start at byte " + std::to_string(header.point_data_offset) +
                      "; a value between the end of the header (" + std::to_string(header.header_size) + ") and the end of the file (" +
                      std::to_string(file_size) + ") is expected. The file is truncated or damaged, copy it again");
  }
  const std::uint16_t standard = standard_record_length(header.point_format);
  if (header.record_length < standard) {
    throw CorruptData("the header gives point records of " + std::to_string(header.record_length) + " bytes; point format " +
                      std::to_string(header.point_format) + " needs at least " + std::to_string(standard) +
                      ". The header is damaged, take the file from its source again");
  }
}

void check_transform(const Header& header) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (!std::isfinite(header.scale[axis]) || !(header.scale[axis] > 0)) {
      throw CorruptData(std::string("the header's scale of ") + axis_names[axis] + " is " + number(header.scale[axis]) +
                        "; a finite number above 0 is expected. The header is damaged, take the file from its source again");
    }
    if (!std::isfinite(header.offset[axis])) {
      throw CorruptData(std::string("the header's offset of ") + axis_names[axis] + " is " + number(header.offset[axis]) +
                        "; a finite number is expected. The header is damaged, take the file from its source again");
    }
    if (header.point_count == 0) continue;
    if (!std::isfinite(header.min[axis]) || !std::isfinite(header.max[axis]) || header.min[axis] > header.max[axis]) {
      throw CorruptData(
          std::string("the header's bounds of ") + axis_names[axis] + " are " + number(header.min[axis]) + " to " +
          number(header.max[axis]) +
          "; finite and increasing numbers are expected. Rewrite the header (e.g. with lasinfo -repair) if the points are right");
    }
  }
}

void check_plain_count(const Header& header, std::uint64_t file_size) {
  if (header.compressed) return;
  const std::uint64_t room = (file_size - header.point_data_offset) / header.record_length;
  if (header.point_count > room) {
    throw CorruptData("the header says " + std::to_string(header.point_count) + " points but the file holds only " + std::to_string(room) +
                      " records of " + std::to_string(header.record_length) + " bytes; the file is truncated, copy it again");
  }
}

}  // namespace

std::uint16_t standard_header_size(std::uint8_t minor) noexcept {
  if (minor >= 4) return 375;
  return minor == 3 ? 235 : 227;
}

Header parse_header(std::span<const std::byte> bytes, std::uint64_t file_size, std::vector<std::string>& warnings) {
  if (file_size == 0) throw CorruptData("the file has no bytes; copy or download it again");
  if (bytes.size() < 4 || std::memcmp(bytes.data(), "LASF", 4) != 0) {
    throw CorruptData("the file does not begin with \"LASF\", so it is not a LAS or LAZ file; check what was downloaded");
  }
  ByteReader in(bytes, "the LAS header");
  in.take(4);
  Header header;
  header.file_source_id = in.get<std::uint16_t>();
  header.global_encoding = in.get<std::uint16_t>();
  const auto guid = in.take(16);
  std::copy(guid.begin(), guid.end(), header.project_id.begin());
  header.version_major = in.get<std::uint8_t>();
  header.version_minor = in.get<std::uint8_t>();
  check_versions(header);
  header.system_identifier = in.text(32);
  header.generating_software = in.text(32);
  header.creation_day = in.get<std::uint16_t>();
  header.creation_year = in.get<std::uint16_t>();
  header.header_size = in.get<std::uint16_t>();
  header.point_data_offset = in.get<std::uint32_t>();
  header.vlr_count = in.get<std::uint32_t>();
  const auto format = in.get<std::uint8_t>();
  // LASzip marks compressed points in the two highest bits of the format.
  header.compressed = (format & 0xC0U) != 0;
  header.point_format = format & 0x3FU;
  header.record_length = in.get<std::uint16_t>();
  const auto legacy_count = in.get<std::uint32_t>();
  std::array<std::uint32_t, 5> legacy_by_return{};
  for (auto& count : legacy_by_return) count = in.get<std::uint32_t>();
  for (auto& scale : header.scale) scale = in.get<double>();
  for (auto& offset : header.offset) offset = in.get<double>();
  for (std::size_t axis = 0; axis < 3; ++axis) {
    header.max[axis] = in.get<double>();
    header.min[axis] = in.get<double>();
  }
  check_layout(header, file_size);
  header.point_count = legacy_count;
  std::copy(legacy_by_return.begin(), legacy_by_return.end(), header.points_by_return.begin());
  if (header.version_minor >= 3) header.waveform_offset = in.get<std::uint64_t>();
  if (header.version_minor >= 4) {
    header.evlr_offset = in.get<std::uint64_t>();
    header.evlr_count = in.get<std::uint32_t>();
    const auto count = in.get<std::uint64_t>();
    std::array<std::uint64_t, 15> by_return{};
    for (auto& value : by_return) value = in.get<std::uint64_t>();
    if (count == 0 && legacy_count != 0) {
      warnings.push_back("the header's 64-bit point count is 0; the 32-bit count, " + std::to_string(legacy_count) + ", is used");
    } else {
      if (legacy_count != 0 && legacy_count != count) {
        warnings.push_back("the header counts " + std::to_string(count) + " points in its 64-bit field and " +
                           std::to_string(legacy_count) + " in its 32-bit field; the first is used");
      }
      header.point_count = count;
      header.points_by_return = by_return;
    }
  }
  check_transform(header);
  check_plain_count(header, file_size);
  return header;
}

std::vector<std::byte> serialize_header(const Header& header) {
  std::vector<std::byte> out(header.header_size);
  std::size_t at = 0;
  const auto put = [&](auto value) {
    store(out.data() + at, value);
    at += sizeof value;
  };
  const auto put_text = [&](const std::string& text, std::size_t width) {
    std::memcpy(out.data() + at, text.data(), std::min(width, text.size()));
    at += width;
  };
  const bool extended = header.version_minor >= 4;
  // LAS 1.4: the 32-bit counts are 0 for formats 6 and up and where the number does not fit.
  const bool legacy = header.point_format < 6 && header.point_count <= std::numeric_limits<std::uint32_t>::max();
  put_text("LASF", 4);
  put(header.file_source_id);
  put(header.global_encoding);
  std::copy(header.project_id.begin(), header.project_id.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
  at += 16;
  put(header.version_major);
  put(header.version_minor);
  put_text(header.system_identifier, 32);
  put_text(header.generating_software, 32);
  put(header.creation_day);
  put(header.creation_year);
  put(header.header_size);
  put(header.point_data_offset);
  put(header.vlr_count);
  put(static_cast<std::uint8_t>(header.point_format | (header.compressed ? 0x80U : 0U)));
  put(header.record_length);
  put(legacy ? static_cast<std::uint32_t>(header.point_count) : std::uint32_t{0});
  for (std::size_t i = 0; i < 5; ++i) put(legacy ? static_cast<std::uint32_t>(header.points_by_return[i]) : std::uint32_t{0});
  for (const double scale : header.scale) put(scale);
  for (const double offset : header.offset) put(offset);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    put(header.max[axis]);
    put(header.min[axis]);
  }
  if (header.version_minor >= 3) put(header.waveform_offset);
  if (extended) {
    put(header.evlr_offset);
    put(header.evlr_count);
    put(header.point_count);
    for (const std::uint64_t count : header.points_by_return) put(count);
  }
  return out;
}

}  // namespace tuile::las
