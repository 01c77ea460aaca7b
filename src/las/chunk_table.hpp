#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "las/laszip_record.hpp"
#include "tuile/las/file_info.hpp"

namespace tuile::las {

/// A run of points that can be decoded without those before it.
struct Chunk {
  std::uint64_t offset = 0;       ///< of its first byte in the file
  std::uint64_t size = 0;         ///< bytes
  std::uint64_t first_point = 0;  ///< index in the file
  std::uint64_t points = 0;
  bool open_ended = false;  ///< its true end is not known (no chunk table): `size` reaches to the end of the file
};

/// The chunks of a compressed file in order, every one inside the file, not overlapping, together exactly header.point_count points.
/// A file whose writer was interrupted before it wrote the table, and pointwise compression, give one open-ended chunk.
/// Throws CorruptData where the table contradicts the header or the file. Source: LAZ specification 1.4 R1, "Chunk table".
std::vector<Chunk> read_chunks(std::span<const std::byte> file, const Header& header, const LaszipRecord& record);

/// The chunk table of a file of fixed chunks whose compressed sizes are `sizes`.
std::vector<std::byte> serialize_chunk_table(std::span<const std::uint32_t> sizes);

}  // namespace tuile::las
