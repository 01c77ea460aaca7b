#pragma once

#include <cstdint>

#include "compute/cpu/tree_view.hpp"

namespace tuile::compute::cpu {

/// Which points count, in whole units.
struct Search {
  std::uint32_t most = 0;     ///< at most this many, the nearest
  bool bounded = false;       ///< radius search: none farther than √limit
  std::uint64_t limit = 0;    ///< squared units
  bool needs_z_span = false;  ///< some column needs the range of z
  bool distances = false;     ///< not moments, but the sum of the distances to the nearest; never with `bounded`
};

/// Neighbourhoods of the points of a group, one per slot (bucket · 16 + lane): moments relative to the point itself, exact integers.
/// Where distances are searched for: n, reach2 (or a little more) and `distances` only.
struct Batch {
  alignas(64) double n[group_size];   ///< neighbours
  alignas(64) double xx[group_size];  ///< n² × covariance, units²: n Σdx² − (Σdx)²
  alignas(64) double xy[group_size];
  alignas(64) double xz[group_size];
  alignas(64) double yy[group_size];
  alignas(64) double yz[group_size];
  alignas(64) double zz[group_size];
  alignas(64) double reach2[group_size];  ///< largest squared distance, units²
  alignas(64) double z_span[group_size];  ///< max − min of z, units
  std::uint64_t distances[group_size];    ///< Σ quantised_distance of the neighbours
};

}  // namespace tuile::compute::cpu
