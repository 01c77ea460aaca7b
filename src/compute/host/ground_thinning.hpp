#pragma once

#include <functional>
#include <span>
#include <vector>

#include "tuile/core/point_block.hpp"

namespace tuile::compute {

/// Side of the cells that thin the ground, metres.
inline constexpr double ground_cell = 0.5;

/// Ground points where they lie, run by run, so that nobody needs a copy of them all: hands every run to `take`, the same whenever it is
/// called.
using TakePoints = std::function<void(std::span<const GridPoint>)>;
using GroundPoints = std::function<void(const TakePoints& take)>;

/// The lowest point of every cell (ties: smallest x, then y), in an order that depends on the set of points only.
/// Cell of an absolute coordinate c in units: floor(c · scale / 0.5), so cells are anchored at coordinate 0 and neighbouring tiles
/// agree on them. Exact integer division where 0.5 / scale is whole.
/// points  units relative to grid.origin, any order, duplicates allowed
std::vector<GridPoint> lowest_per_cell(const GroundPoints& points, const Grid& grid);
std::vector<GridPoint> lowest_per_cell(std::span<const GridPoint> points, const Grid& grid);

}  // namespace tuile::compute
