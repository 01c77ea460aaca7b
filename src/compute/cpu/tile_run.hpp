#pragma once

#include <cstdint>
#include <stop_token>

#include "compute/cpu/kernels.hpp"
#include "tuile/compute/backend.hpp"

namespace tuile::compute::cpu {

/// What the tiles of a call share.
struct RunContext {
  const features::FeaturePlan& plan;
  const Preprocess& preprocess;
  const Kernels& kernels;
  Executor& executor;
  const std::stop_token& stop;
  std::uint64_t memory = 0;  ///< bytes beside input and output; 0: no limit
};

/// Computes one tile: preprocessing, attributes, neighbours, heights; in one piece, or block by block where that would take more memory
/// than there is.
/// Throws as Backend::compute.
TileOutput run_tile(const TileInput& tile, const RunContext& context);

}  // namespace tuile::compute::cpu
