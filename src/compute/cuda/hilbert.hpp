#pragma once

#include <cstdint>

#include "features/formulas.hpp"

namespace tuile::compute::cuda {

/// Position of a cell along the Hilbert curve through the cube of 2^bits cells a side; bits ≤ 21. Cells that follow each other share a
/// face. The curve enters each octant at the corner `entry`, turned by `turn`: Hamilton and Rau-Chaplin 2008, "Compact Hilbert indices".
TUILE_HD std::uint64_t hilbert_index(std::uint32_t x, std::uint32_t y, std::uint32_t z, std::uint32_t bits) {
  constexpr std::uint32_t corners = 0x56633000U;  // by position in the Gray code: the corner where the sub-curve begins, four bits each
  constexpr std::uint32_t axes = 0x01122110U;     // and the axis it goes along
  std::uint64_t index = 0;
  std::uint32_t entry = 0, turn = 1;  // turn: 0 to 2
  for (std::uint32_t bit = bits; bit-- > 0;) {
    const std::uint32_t octant = ((x >> bit & 1U) | (y >> bit & 1U) << 1U | (z >> bit & 1U) << 2U) ^ entry;
    const std::uint32_t turned = (octant >> turn | octant << (3U - turn)) & 7U;
    const std::uint32_t place = turned ^ turned >> 1U ^ turned >> 2U;  // the Gray code undone
    index = index << 3U | place;
    const std::uint32_t corner = corners >> 4U * place & 7U;
    entry ^= (corner << turn | corner >> (3U - turn)) & 7U;
    turn += (axes >> 4U * place & 3U) + 1U;
    turn = turn >= 3U ? turn - 3U : turn;
  }
  return index;
}

}  // namespace tuile::compute::cuda
