#pragma once

#include <cstddef>

namespace tuile::gpu_check {

/// How much is measured.
struct Sizes {
  std::size_t tile_points = 2'000'000;
  std::size_t small_points = 250'000;  ///< of the tiles that are batched
  int small_tiles = 8;
  int tiles = 20;  ///< of the steady state
  int runs = 7;    ///< of what is timed, after two to warm up
  std::size_t copy_bytes = std::size_t{256} << 20;
};

}  // namespace tuile::gpu_check
