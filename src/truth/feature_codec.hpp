#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tuile/truth/features.hpp"

namespace tuile::truth {

/// The layout of entries; part of their file names, so that versions of tuile that share a folder leave each other's entries alone.
constexpr std::uint32_t entry_version = 1;

/// A sound result as it lies on disk.
struct CacheEntry {
  std::int64_t written = 0;  ///< seconds since 1970
  FetchResult result;
};

/// One file of the disk cache, little-endian: magic (8 bytes), XXH3 of all that follows (8), version (4), time written (8), key, outcome,
/// invalid, names of attributes, features (id, WKB, attributes as name's number, type, value). Counts, lengths and integers are LEB128;
/// texts have their length first. Throws Unsupported for what the layout cannot hold: an outcome that is not sound, an attribute's name of
/// more than 255 bytes.
std::string encode_entry(const std::string& key, std::int64_t written, const FetchResult& result);

/// The reverse. Bytes come from outside: throws CorruptData for any that encode_entry does not write for `key`; allocates in proportion to
/// them.
CacheEntry decode_entry(std::string_view bytes, const std::string& key);

/// What follows the checksum; for tests and fuzzing, since damage before it hardly passes the checksum.
CacheEntry decode_checked_entry(std::string_view bytes, const std::string& key);

}  // namespace tuile::truth
