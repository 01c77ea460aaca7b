#include "write/npz/zip.hpp"

#include <algorithm>
#include <utility>

namespace tuile::write {

namespace {

constexpr std::uint32_t max32 = 0xFFFFFFFFU;
constexpr std::uint16_t date_1980_01_01 = 0x0021;
constexpr std::uint16_t zip64_field = 0x0001;
constexpr std::uint16_t padding_field = 0xD935;  // the id that other archive aligners use; readers skip what they do not know
constexpr std::uint16_t version_deflate = 20, version_zip64 = 45;
constexpr std::uint16_t made_by_unix = 3U << 8;
constexpr std::uint32_t regular_file_0644 = 0100644U << 16;

/// General purpose bits: 11 says that the name is UTF-8, without it programs take it for code page 437.
std::uint16_t flags(const ZipEntry& entry) {
  const bool ascii = std::all_of(entry.name.begin(), entry.name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return ascii ? 0 : 1U << 11;
}

/// Little-endian numbers, one after the other.
class Record {
 public:
  Record& u16(std::uint64_t value) { return number(value, 2); }
  Record& u32(std::uint64_t value) { return number(value, 4); }
  Record& u64(std::uint64_t value) { return number(value, 8); }
  Record& text(const std::string& value) {
    bytes_ += value;
    return *this;
  }
  std::string take() { return std::move(bytes_); }

 private:
  Record& number(std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes_ += static_cast<char>((value >> (8 * i)) & 0xFF);
    return *this;
  }
  std::string bytes_;
};

bool large_sizes(const ZipEntry& entry) { return entry.size >= max32 || entry.stored_size >= max32; }
bool large(const ZipEntry& entry) { return large_sizes(entry) || entry.header_offset >= max32; }

std::string padding(const ZipEntry& entry) {
  if (entry.padding == 0) return {};
  return Record().u16(padding_field).u16(entry.padding - 4U).text(std::string(entry.padding - 4U, '\0')).take();
}

}  // namespace

std::string zip_local_header(const ZipEntry& entry) {
  // Numbers that do not fit are all ones here and stand in the ZIP64 field, both sizes together as the format asks.
  const bool zip64 = large_sizes(entry);
  std::string extra;
  if (zip64) extra = Record().u16(zip64_field).u16(16).u64(entry.size).u64(entry.stored_size).take();
  extra += padding(entry);
  return Record()
      .u32(0x04034B50)
      .u16(zip64 ? version_zip64 : version_deflate)
      .u16(flags(entry))
      .u16(entry.deflated ? 8 : 0)
      .u16(0)
      .u16(date_1980_01_01)
      .u32(entry.crc)
      .u32(zip64 ? max32 : entry.stored_size)
      .u32(zip64 ? max32 : entry.size)
      .u16(entry.name.size())
      .u16(extra.size())
      .text(entry.name)
      .text(extra)
      .take();
}

std::string zip_directory_record(const ZipEntry& entry) {
  const bool zip64 = large(entry);
  std::string extra;
  if (zip64) extra = Record().u16(zip64_field).u16(24).u64(entry.size).u64(entry.stored_size).u64(entry.header_offset).take();
  const std::uint16_t version = zip64 ? version_zip64 : version_deflate;
  return Record()
      .u32(0x02014B50)
      .u16(made_by_unix | version)
      .u16(version)
      .u16(flags(entry))
      .u16(entry.deflated ? 8 : 0)
      .u16(0)
      .u16(date_1980_01_01)
      .u32(entry.crc)
      .u32(zip64 ? max32 : entry.stored_size)
      .u32(zip64 ? max32 : entry.size)
      .u16(entry.name.size())
      .u16(extra.size())
      .u16(0)
      .u16(0)
      .u16(0)
      .u32(regular_file_0644)
      .u32(zip64 ? max32 : entry.header_offset)
      .text(entry.name)
      .text(extra)
      .take();
}

std::string zip_end(std::uint64_t entries, std::uint64_t directory_offset, std::uint64_t directory_size) {
  Record end;
  const bool zip64 = directory_offset >= max32 || directory_size >= max32 || entries >= 0xFFFF;
  if (zip64) {
    end.u32(0x06064B50)
        .u64(44)
        .u16(made_by_unix | version_zip64)
        .u16(version_zip64)
        .u32(0)
        .u32(0)
        .u64(entries)
        .u64(entries)
        .u64(directory_size)
        .u64(directory_offset);
    end.u32(0x07064B50).u32(0).u64(directory_offset + directory_size).u32(1);
  }
  const std::uint64_t count = zip64 ? 0xFFFF : entries;
  end.u32(0x06054B50).u16(0).u16(0).u16(count).u16(count).u32(zip64 ? max32 : directory_size).u32(zip64 ? max32 : directory_offset).u16(0);
  return end.take();
}

std::uint64_t zip_place(ZipEntry& entry, std::uint64_t header_offset, std::uint64_t alignment) {
  entry.header_offset = header_offset;
  entry.padding = 0;
  const std::uint64_t data = header_offset + zip_local_header(entry).size();
  std::uint64_t gap = (alignment - data % alignment) % alignment;
  if (gap > 0 && gap < 4) gap += alignment;
  entry.padding = static_cast<std::uint16_t>(gap);
  return data + gap;
}

}  // namespace tuile::write
