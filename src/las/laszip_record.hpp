#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tuile/las/file_info.hpp"

namespace tuile::las {

/// How LASzip cut a record into separately compressed items.
struct LaszipItem {
  std::uint16_t type = 0, size = 0, version = 0;
};

enum class LaszipCompressor : std::uint16_t { pointwise = 1, pointwise_chunked = 2, layered_chunked = 3 };

/// The parsed and checked payload of the LASzip record.
struct LaszipRecord {
  LaszipInfo info;
  std::vector<LaszipItem> items;

  LaszipCompressor compressor() const noexcept { return static_cast<LaszipCompressor>(info.compressor); }
  /// Layers of a chunk of a layered file: each has its length written at the start of the chunk.
  std::size_t layer_count() const noexcept;
};

/// Throws CorruptData (items that do not make up the header's record, chunk size 0) or Unsupported (a compressor, coder or item version
/// that LASzip 3 does not know). Source: LAZ specification 1.4 R1, "The LASzip VLR".
LaszipRecord parse_laszip_record(std::span<const std::byte> payload, const Header& header);

/// The checked LASzip record of a compressed file. Throws CorruptData where it has none.
LaszipRecord require_laszip_record(const Header& header, const std::vector<Vlr>& vlrs);

/// True for the records that describe the compression or the COPC index of a file and not its points.
bool is_container_record(const Vlr& record) noexcept;

}  // namespace tuile::las
