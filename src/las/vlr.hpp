#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tuile/las/file_info.hpp"

namespace tuile::las {

inline constexpr std::size_t vlr_header_size = 54;
inline constexpr std::size_t evlr_header_size = 60;

/// Parses `count` VLRs from the bytes between the header and the points. Throws CorruptData where one reaches past their end.
std::vector<Vlr> parse_vlrs(std::span<const std::byte> bytes, std::uint32_t count);

/// Reads the EVLRs (of LAS 1.3: the waveform record, where the file holds one). Throws CorruptData where one reaches past the end of the
/// source.
std::vector<Vlr> read_evlrs(const source::ByteSource& source, const Header& header);

/// The first record of that user and id, or null.
const Vlr* find_vlr(const std::vector<Vlr>& records, std::string_view user_id, std::uint16_t record_id) noexcept;

/// The record as bytes with a VLR header (payload at most 65535 bytes) or an EVLR header.
std::vector<std::byte> serialize_vlr(const Vlr& record);
std::vector<std::byte> serialize_evlr(const Vlr& record);

}  // namespace tuile::las
