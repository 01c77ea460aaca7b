#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tuile::las {

/// The layers of the extra bytes of a chunk, each of which codes one byte of all records, items of version 3.
struct ExtraLayers {
  std::vector<std::uint32_t> sizes;  ///< one per extra byte; 0 for one that never changes
  std::vector<std::byte> bytes;      ///< the layers one behind the other
};

/// records  whole records of point formats 6 to 8, `length` bytes each, of which those from `from` on are extra bytes; at least one record
/// Source: LAZ specification 1.4 R1, "BYTE14".
ExtraLayers compress_extra_bytes(std::span<const std::byte> records, std::size_t length, std::size_t from);

}  // namespace tuile::las
