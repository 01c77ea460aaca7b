#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "tuile/las/file_info.hpp"

namespace tuile::las {

inline constexpr std::size_t extra_descriptor_size = 192;

/// Whether a record, VLR or EVLR, describes extra dimensions.
bool is_extra_bytes(const Vlr& record) noexcept;

/// Bytes of one value of a data type of LAS 1.4 table 24 (the deprecated two- and three-element types included); 0 for type 0 and unknown
/// ones.
std::uint16_t extra_type_size(std::uint8_t data_type) noexcept;

/// Parses the extra-bytes records of a file (its VLRs, then its EVLRs) against the `room` bytes that its point records have behind their
/// standard part. Dimensions past the end of the record, and records of a wrong size, are left out with a warning. Source: LAS 1.4 R15,
/// section 2.7 (Extra Bytes).
std::vector<ExtraDimension> parse_extra_dimensions(std::span<const Vlr> records, std::uint16_t room, std::vector<std::string>& warnings);

/// The payload of the extra-bytes record (192 bytes a dimension).
std::vector<std::byte> serialize_extra_dimensions(std::span<const ExtraDimension> dimensions);

}  // namespace tuile::las
