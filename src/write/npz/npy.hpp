#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tuile::write {

/// Element type and shape of a .npy array (C order).
struct NpyHeader {
  std::string descr;  ///< NumPy's type string: "<f4", "|u1", "<U12" …
  std::vector<std::uint64_t> shape;
  bool operator==(const NpyHeader&) const = default;
};

/// The bytes before the array data of a .npy file (version 1.0), padded so that the data is 64-byte aligned.
/// Source: NumPy's format description (numpy.lib.format), version 1.0.
std::string npy_header(const NpyHeader& header);

/// Reads what npy_header makes (keys in any order). `length` gets the number of bytes before the data.
/// Nothing where the bytes are not a complete version-1.0 header in C order.
std::optional<NpyHeader> parse_npy_header(std::span<const std::byte> bytes, std::size_t& length);

/// Bytes of one element of a type that our files have, 0 for other types.
std::uint64_t npy_item_size(const std::string& descr);

/// An array of strings as NumPy stores it: UTF-32 little endian, all of the longest's length.
struct NpyStrings {
  NpyHeader header;
  std::vector<std::byte> data;
};
/// Of feature names. Throws InvalidArgument: empty, or not ASCII.
NpyStrings npy_strings(const std::vector<std::string>& values);
/// Of any texts, UTF-8 (what is not becomes U+FFFD), each cut at `longest` characters.
NpyStrings npy_texts(const std::vector<std::string>& values, std::size_t longest);

}  // namespace tuile::write
