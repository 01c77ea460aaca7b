#pragma once

#include <cstdint>
#include <string>

namespace tuile::write {

/// One member of a ZIP archive.
struct ZipEntry {
  std::string name;               ///< UTF-8
  std::uint32_t crc = 0;          ///< CRC-32 of the uncompressed bytes
  std::uint64_t size = 0;         ///< uncompressed
  std::uint64_t stored_size = 0;  ///< as it lies in the file
  bool deflated = false;
  std::uint64_t header_offset = 0;  ///< of its local header
  std::uint16_t padding = 0;        ///< bytes of its padding field, 0 or at least 4
};

// ZIP records, with ZIP64 fields where a number needs them and nothing that varies: every date is 1980-01-01.
// Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.3.

/// The record before a member's bytes.
std::string zip_local_header(const ZipEntry& entry);
/// The member's record in the archive's directory.
std::string zip_directory_record(const ZipEntry& entry);
/// The end of the archive.
std::string zip_end(std::uint64_t entries, std::uint64_t directory_offset, std::uint64_t directory_size);

/// Sets header_offset and the padding that puts the member's bytes on a multiple of `alignment`. Returns the offset of its bytes.
std::uint64_t zip_place(ZipEntry& entry, std::uint64_t header_offset, std::uint64_t alignment);

}  // namespace tuile::write
