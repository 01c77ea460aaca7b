#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tuile/las/file_info.hpp"

namespace tuile::las {

/// Bytes of the public header block of LAS 1.`minor`.
std::uint16_t standard_header_size(std::uint8_t minor) noexcept;

/// Parses and checks the public header block against the size of the file.
/// bytes  the first bytes of the file, at least min(file_size, 375)
/// Throws CorruptData, Unsupported. Source: LAS 1.4 R15, section 2.4.
Header parse_header(std::span<const std::byte> bytes, std::uint64_t file_size, std::vector<std::string>& warnings);

/// The public header block as bytes, header.header_size of them.
std::vector<std::byte> serialize_header(const Header& header);

}  // namespace tuile::las
