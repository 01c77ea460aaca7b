#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace tuile::source {

/// The error of a read of `wanted` bytes at `offset` of a source that ends at `have`. Throws CorruptData.
[[noreturn]] void throw_short(const std::string& name, std::uint64_t offset, std::size_t wanted, std::uint64_t have);

}  // namespace tuile::source
