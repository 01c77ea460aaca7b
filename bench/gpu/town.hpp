#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "tuile/core/host_memory.hpp"
#include "tuile/core/point_block.hpp"

namespace tuile::gpu_check {

/// A town as a scanner sees it, made in a moment: sloping ground, gabled roofs with walls, trees, in strips 30 m wide one after the other
/// as an aircraft flies them; classes, intensity, returns, colours and infrared. 1 cm units. side    units: the points lie in [0, side)
/// squared, evenly memory  where the arrays lie; null: anywhere
PointBlock town(std::size_t points, std::int32_t side, std::uint64_t seed, const std::shared_ptr<HostMemory>& memory = nullptr);

/// The side for so many points at 2 per square metre: what a tile of 2 million points on a square kilometre has.
std::int32_t usual_side(std::size_t points);

}  // namespace tuile::gpu_check
