#include "compute/cuda/piece.hpp"

namespace tuile::compute::cuda {

namespace {

/// Bounds and halo of a tile, units relative to the origin of its points.
Sides complete_sides(const TileInput& tile) {
  if (tile.bounds.empty()) return {};
  const Grid& grid = tile.core->grid;
  const double halo = tile.halo_width / grid.scale;
  return {static_cast<double>(tile.bounds.min_x - grid.origin[0]) - halo, static_cast<double>(tile.bounds.min_y - grid.origin[1]) - halo,
          static_cast<double>(tile.bounds.max_x - grid.origin[0]) + halo, static_cast<double>(tile.bounds.max_y - grid.origin[1]) + halo};
}

double side(std::int64_t at) {
  if (at == Area::open) return Sides::infinity;
  return at == -Area::open ? -Sides::infinity : static_cast<double>(at);
}

}  // namespace

PieceShape whole_tile(const TileInput& tile) {
  return part_of_tile(tile, tile.core->size() + (tile.halo == nullptr ? 0 : tile.halo->size()), tile.core->size(), {});
}

PieceShape part_of_tile(const TileInput& tile, std::size_t points, std::size_t rows, const Area& given) {
  return {.points = static_cast<std::uint32_t>(points),
          .rows = static_cast<std::uint32_t>(rows),
          .grid = tile.core->grid,
          .complete = complete_sides(tile),
          .given = {side(given.min_x), side(given.min_y), side(given.max_x), side(given.max_y)}};
}

}  // namespace tuile::compute::cuda
