#pragma once

#include <memory>
#include <vector>

#include "compute/host/ground_surface.hpp"
#include "compute/validity.hpp"
#include "tuile/compute/backend.hpp"

namespace tuile::compute::cuda {

/// The surface of a tile's ground points, core and halo, that are valid and of no excluded class.
/// memory: where a device's copy had best come from; null: anywhere
std::unique_ptr<GroundSurface> make_surface(const TileInput& tile, const std::vector<std::uint8_t>& excluded, const Validity& validity,
                                            const std::shared_ptr<HostMemory>& memory);

/// Bytes that the tile's surface takes on a device at most.
std::uint64_t most_surface_bytes(const TileInput& tile);

}  // namespace tuile::compute::cuda
