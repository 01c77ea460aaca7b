#pragma once

#include <cstdint>

namespace tuile::catalog {

/// Position of cell (x, y) along the Hilbert curve of order `bits` (coordinates below 2^bits, bits ≤ 31).
/// Source: Hilbert 1891; the iterative form rotates the quadrant at each level.
inline std::uint64_t hilbert_index(std::uint32_t x, std::uint32_t y, unsigned bits) {
  std::uint64_t index = 0;
  for (std::uint32_t side = 1U << (bits - 1); side > 0; side >>= 1) {
    const std::uint32_t right = (x & side) != 0 ? 1 : 0;
    const std::uint32_t top = (y & side) != 0 ? 1 : 0;
    index += static_cast<std::uint64_t>(side) * side * ((3 * right) ^ top);
    if (top == 0) {
      if (right == 1) {
        x = ~x;
        y = ~y;
      }
      const std::uint32_t swap = x;
      x = y;
      y = swap;
    }
  }
  return index;
}

}  // namespace tuile::catalog
