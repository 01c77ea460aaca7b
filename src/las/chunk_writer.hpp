#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tuile/las/file_info.hpp"

namespace tuile::las {

/// Points per chunk of the files that tuile writes: what every LAZ writer takes.
inline constexpr std::uint32_t written_chunk_size = 50'000;

/// The payload of the LASzip record for records of this form, chunks of written_chunk_size.
std::vector<std::byte> make_laszip_payload(std::uint8_t point_format, std::uint16_t record_length);

/// Compresses at most written_chunk_size records into one chunk. Each call is on its own: safe from several threads.
std::vector<std::byte> compress_chunk(std::span<const std::byte> records, std::uint8_t point_format, std::uint16_t record_length);

}  // namespace tuile::las
