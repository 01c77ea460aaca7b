#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "synth/random.hpp"
#include "tuile/synth/town.hpp"

namespace tuile::synth {

inline constexpr double block_side = 50;  ///< metres; streets lie between blocks, objects stay inside

enum class BlockKind : std::uint8_t { houses, flats, park, pond, gardens, meadow, sports, cemetery };

/// A block of the street grid, numbered from coordinate 0, so its content does not depend on where the town begins.
struct Block {
  std::int64_t column, row;
  double west() const noexcept { return static_cast<double>(column) * block_side; }
  double south() const noexcept { return static_cast<double>(row) * block_side; }
  Vertex centre() const noexcept { return {west() + block_side / 2, south() + block_side / 2}; }
};

inline Block block_at(double x, double y) noexcept {
  return {static_cast<std::int64_t>(std::floor(x / block_side)), static_cast<std::int64_t>(std::floor(y / block_side))};
}

constexpr std::int64_t positive_modulo(std::int64_t value, std::int64_t modulus) noexcept { return (value % modulus + modulus) % modulus; }

/// Houses, flats, parks, ponds and gardens are among any 3 × 3 blocks; the sixth kind is meadow, sports ground or cemetery by the row.
constexpr BlockKind kind_of(std::uint64_t seed, const Block& block) noexcept {
  const std::int64_t rank = positive_modulo(block.column + 2 * block.row + static_cast<std::int64_t>(hash(seed, 6) % 6), 6);
  return static_cast<BlockKind>(rank < 5 ? rank : 5 + positive_modulo(block.row, 3));
}

/// An identifier as BD TOPO has them: 8 letters, 16 digits, here of the block and the object's number in it (below 100).
inline std::string cleabs_of(const char* prefix, const Block& block, int number) {
  return fmt::format("{:_<8}{:07}{:07}{:02}", prefix, positive_modulo(block.column, 10000000), positive_modulo(block.row, 10000000),
                     number);
}

}  // namespace tuile::synth
