#pragma once

#include <cstdint>
#include <mutex>
#include <stop_token>
#include <vector>

#include "compute/cpu/batch.hpp"
#include "compute/cpu/kernels.hpp"
#include "compute/cpu/tree_walk.hpp"
#include "tuile/core/executor.hpp"

namespace tuile::compute::cpu {

/// One search of a filter: a value per point, of core and halo, by index.
struct FilterSearch {
  const Kernels& kernels;
  Executor& executor;
  const std::stop_token& stop;
  std::uint32_t points = 0;  ///< of core and halo, valid or not
  std::size_t most = 0;      ///< WalkWish::most
};

/// values[i]: Σ quantised_distance from point i to its k nearest others (to all where they are fewer), for the valid points.
/// Throws Cancelled, OutOfMemory.
void sum_distances(const TilePoints& tile, std::uint32_t k, const FilterSearch& search, std::uint64_t* values);

/// few[i]: 1 where fewer than `wanted` others lie within the radius of valid point i, else 0.
/// limit: squared_units(radius);  reach: of that radius. Throws Cancelled, OutOfMemory.
void find_lonely(const TilePoints& tile, std::uint64_t limit, const SearchReach& reach, std::uint64_t wanted, const FilterSearch& search,
                 std::uint8_t* few);

}  // namespace tuile::compute::cpu
