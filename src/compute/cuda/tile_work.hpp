#pragma once

#include <memory>
#include <stop_token>

#include "compute/cuda/pinned_memory.hpp"
#include "compute/host/ground_surface.hpp"
#include "compute/host_filter.hpp"
#include "tuile/compute/backend.hpp"

namespace tuile::compute::cuda {

/// What the tiles of a call share.
struct CallContext {
  const features::FeaturePlan& plan;
  const Preprocess& preprocess;
  Executor& executor;
  const std::stop_token& stop;
  const std::shared_ptr<PinnedMemory>& pinned;
  const HostFilter& filter;  ///< for tiles that no device holds
};

/// A tile on its way through a call: may be begun more than once, where devices fail or lack memory.
struct TileWork {
  const TileInput* input = nullptr;
  TileOutput output;
  std::unique_ptr<GroundSurface> surface;  ///< once it is made
};

}  // namespace tuile::compute::cuda
