#include "compute/tile_checks.hpp"

#include <string>

#include "tuile/core/error.hpp"

namespace tuile::compute {

namespace {

/// One index more marks places without a point.
constexpr std::size_t largest_index = 0xfffffffeU;

}  // namespace

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

void refuse_too_many(const TileInput& tile) {
  const std::size_t points = tile.core->size() + (tile.halo == nullptr ? 0 : tile.halo->size());
  if (points > largest_index) {
    throw Unsupported("a tile of " + std::to_string(points) + " points; at most 2^32 - 2 are handled at once, split it");
  }
}

}  // namespace tuile::compute
