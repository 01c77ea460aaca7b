#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "compute/validity.hpp"
#include "tuile/compute/backend.hpp"

namespace tuile::compute {

/// A tile whose points are to be marked by preprocessing.
struct FilterWork {
  const TileInput& tile;
  const Preprocess& preprocess;
  Executor& executor;
  const std::stop_token& stop;
  std::uint64_t memory = 0;  ///< bytes beside input and output; 0: no limit
};

/// Preprocessing on the processor: marks the points of core and halo that do not count, step by step, each on what the ones before have
/// left; nothing where preprocessing is off. removed: how many of the core points each step took away.
/// It is given to the backends that have none of their own for tiles that they cannot hold.
/// Throws Cancelled, OutOfMemory, Unsupported (too many points).
using HostFilter = std::function<Marks(const FilterWork& work, TileOutput::Removed& removed)>;

}  // namespace tuile::compute
