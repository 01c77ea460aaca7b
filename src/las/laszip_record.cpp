#include "las/laszip_record.hpp"

#include <algorithm>
#include <string>

#include "las/byte_reader.hpp"
#include "las/record_format.hpp"
#include "las/vlr.hpp"
#include "tuile/core/error.hpp"

namespace tuile::las {

namespace {

constexpr const char* laszip_user = "laszip encoded";
constexpr std::uint16_t laszip_record_id = 22204;

enum ItemType : std::uint16_t {
  bytes = 0,
  point10 = 6,
  gps_time11 = 7,
  rgb12 = 8,
  wave_packet13 = 9,
  point14 = 10,
  rgb14 = 11,
  rgb_nir14 = 12,
  wave_packet14 = 13,
  bytes14 = 14,
};

constexpr const char* remedy = "; the file is damaged, take it from its source again";

std::string describe(const LaszipItem& item) {
  return "type " + std::to_string(item.type) + ", " + std::to_string(item.size) + " bytes, version " + std::to_string(item.version);
}

/// The items that a record of this format must have, in order; sizes of the extra bytes are filled in.
std::vector<LaszipItem> expected_items(const Header& header) {
  const RecordFormat& format = record_format(header.point_format);
  std::vector<LaszipItem> items;
  if (format.extended) {
    items.push_back({point14, 30, 0});
    if (format.nir != 0)
      items.push_back({rgb_nir14, 8, 0});
    else if (format.rgb != 0)
      items.push_back({rgb14, 6, 0});
    if (format.wave_packet != 0) items.push_back({wave_packet14, 29, 0});
  } else {
    items.push_back({point10, 20, 0});
    if (format.gps_time != 0) items.push_back({gps_time11, 8, 0});
    if (format.rgb != 0) items.push_back({rgb12, 6, 0});
    if (format.wave_packet != 0) items.push_back({wave_packet13, 29, 0});
  }
  const auto extra = static_cast<std::uint16_t>(header.record_length - format.length);
  if (extra > 0) items.push_back({format.extended ? bytes14 : bytes, extra, 0});
  return items;
}

bool known_version(const LaszipItem& item) {
  switch (item.type) {
    case bytes:
    case point10:
    case gps_time11:
    case rgb12: return item.version == 1 || item.version == 2;
    case wave_packet13: return item.version == 1;
    case wave_packet14: return item.version == 3 || item.version == 4;
    default: return item.version >= 2 && item.version <= 4;
  }
}

void check_items(const LaszipRecord& record, const Header& header) {
  const std::vector<LaszipItem> expected = expected_items(header);
  if (record.items.size() != expected.size()) {
    throw CorruptData("the LASzip record has " + std::to_string(record.items.size()) + " items; " + std::to_string(expected.size()) +
                      " are expected for point format " + std::to_string(header.point_format) + remedy);
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const LaszipItem& item = record.items[i];
    if (item.type != expected[i].type || item.size != expected[i].size) {
      throw CorruptData("item " + std::to_string(i + 1) + " of the LASzip record is " + describe(item) + "; type " +
                        std::to_string(expected[i].type) + " of " + std::to_string(expected[i].size) +
                        " bytes is expected for point format " + std::to_string(header.point_format) + " with records of " +
                        std::to_string(header.record_length) + " bytes" + remedy);
    }
    if (!known_version(item)) {
      throw Unsupported("item " + std::to_string(i + 1) + " of the LASzip record is " + describe(item) +
                        "; no such version is known. Rewrite the file with a released LASzip");
    }
  }
}

}  // namespace

std::size_t LaszipRecord::layer_count() const noexcept {
  std::size_t layers = 0;
  for (const LaszipItem& item : items) {
    switch (item.type) {
      case point14: layers += 9; break;
      case rgb_nir14: layers += 2; break;
      case bytes14: layers += item.size; break;
      default: layers += 1; break;
    }
  }
  return layers;
}

LaszipRecord parse_laszip_record(std::span<const std::byte> payload, const Header& header) {
  ByteReader in(payload, "the LASzip record");
  LaszipRecord record;
  record.info.compressor = in.get<std::uint16_t>();
  const auto coder = in.get<std::uint16_t>();
  record.info.version_major = in.get<std::uint8_t>();
  record.info.version_minor = in.get<std::uint8_t>();
  record.info.version_revision = in.get<std::uint16_t>();
  in.get<std::uint32_t>();  // options
  record.info.chunk_size = in.get<std::uint32_t>();
  in.take(16);  // number and offset of "special EVLRs", never used
  const auto count = in.get<std::uint16_t>();
  if (record.info.compressor < 1 || record.info.compressor > 3) {
    throw Unsupported("the LASzip record names compressor " + std::to_string(record.info.compressor) +
                      "; 1 (pointwise), 2 (chunked) and 3 (layered) are known. The file is damaged or made by an unknown program");
  }
  if (coder != 0) {
    throw Unsupported("the LASzip record names entropy coder " + std::to_string(coder) +
                      "; only 0 (arithmetic) is known. The file is damaged or made by an unknown program");
  }
  for (unsigned i = 0; i < count; ++i) {
    LaszipItem item;
    item.type = in.get<std::uint16_t>();
    item.size = in.get<std::uint16_t>();
    item.version = in.get<std::uint16_t>();
    record.items.push_back(item);
  }
  check_items(record, header);
  const bool layered = record.compressor() == LaszipCompressor::layered_chunked;
  if (layered != (header.point_format >= 6)) {
    throw CorruptData("the LASzip record names compressor " + std::to_string(record.info.compressor) + " for point format " +
                      std::to_string(header.point_format) + "; layers are for formats 6 and up, and for these only" + remedy);
  }
  if (record.compressor() != LaszipCompressor::pointwise && record.info.chunk_size == 0) {
    throw CorruptData(std::string("the LASzip record gives chunks of 0 points; 1 or more is expected") + remedy);
  }
  return record;
}

LaszipRecord require_laszip_record(const Header& header, const std::vector<Vlr>& vlrs) {
  const Vlr* record = find_vlr(vlrs, laszip_user, laszip_record_id);
  if (record == nullptr) {
    throw CorruptData(std::string("the header says that the points are compressed but the file has no LASzip record (") + laszip_user +
                      "/22204)" + remedy);
  }
  return parse_laszip_record(record->data, header);
}

bool is_container_record(const Vlr& record) noexcept {
  return (record.user_id == laszip_user && record.record_id == laszip_record_id) || record.user_id == "copc";
}

}  // namespace tuile::las
