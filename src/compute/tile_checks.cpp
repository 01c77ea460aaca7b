#include "compute/tile_checks.hpp"

#include <algorithm>
#include <string>

#include "compute/cpu/point_tree.hpp"
#include "tuile/core/error.hpp"

namespace tuile::compute {

using features::Feature;

void check_tile(const TileInput& tile) {
  if (tile.core == nullptr) throw InvalidArgument("a tile without core points was given; TileInput.core must not be null");
  if (tile.halo != nullptr && !(tile.halo->grid == tile.core->grid)) {
    throw InvalidArgument("core and halo lie on different grids; regrid the halo to the core's scale and origin first");
  }
  if (!(tile.core->grid.scale > 0)) {
    throw InvalidArgument("the grid's scale is " + std::to_string(tile.core->grid.scale) + "; metres per unit above 0 are expected");
  }
  for (const PointBlock* block : {tile.core, tile.halo}) {
    if (block != nullptr && block->classification.size() != block->size()) {
      throw InvalidArgument("a block of " + std::to_string(block->size()) + " points has " + std::to_string(block->classification.size()) +
                            " classes; one per point is expected");
    }
  }
}

SearchReach widest_search(const features::FeaturePlan& plan, double scale) {
  SearchReach reach;
  for (const features::Column& column : plan.columns) {
    if (column.feature == Feature::num_points_2m) reach.add_radius(2.0, scale);
    if (!features::info(column.feature).neighbourhood) continue;
    const features::Neighbourhood& neighbourhood = plan.scales[column.scale];
    if (neighbourhood.radius > 0)
      reach.add_radius(neighbourhood.radius, scale);
    else
      reach.nearest = std::max(reach.nearest, static_cast<std::uint32_t>(neighbourhood.k));
  }
  return reach;
}

void refuse_too_many(const TileInput& tile) {
  const std::size_t points = tile.core->size() + (tile.halo == nullptr ? 0 : tile.halo->size());
  if (points >= no_point) {
    throw Unsupported("a tile of " + std::to_string(points) + " points; at most 2^32 - 2 are handled at once, split it");
  }
}

}  // namespace tuile::compute
