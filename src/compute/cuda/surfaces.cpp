#include "compute/cuda/surfaces.hpp"

#include <algorithm>
#include <array>

namespace tuile::compute::cuda {

namespace {

constexpr std::uint8_t ground_class = 2;
/// A vertex is 12 bytes, the two triangles that come with it are 48, and every 16 vertices have a square to start from.
constexpr std::uint64_t bytes_per_vertex = 64;

}  // namespace

std::unique_ptr<GroundSurface> make_surface(const TileInput& tile, const std::vector<std::uint8_t>& excluded, const Validity& validity,
                                            const std::shared_ptr<HostMemory>& memory) {
  const bool none = std::find(excluded.begin(), excluded.end(), ground_class) != excluded.end();
  const auto give = [&](const TakePoints& take) {
    if (none) return;
    std::array<GridPoint, 1024> taken;
    std::size_t count = 0;
    const auto give_block = [&](const PointBlock* block, const std::uint8_t* valid) {
      for (std::size_t i = 0; block != nullptr && i < block->size(); ++i) {
        if (block->classification[i] != ground_class || (valid != nullptr && valid[i] == 0)) continue;
        taken[count++] = block->units[i];
        if (count < taken.size()) continue;
        take(taken);
        count = 0;
      }
    };
    give_block(tile.core, validity.core);
    give_block(tile.halo, validity.halo);
    take({taken.data(), count});
  };
  return std::make_unique<GroundSurface>(give, tile.core->grid, memory);
}

std::uint64_t most_surface_bytes(const TileInput& tile) {
  std::uint64_t ground = 0;
  for (const PointBlock* block : {tile.core, tile.halo}) {
    if (block != nullptr)
      ground += static_cast<std::uint64_t>(std::count(block->classification.begin(), block->classification.end(), ground_class));
  }
  return ground * bytes_per_vertex + 4096;
}

}  // namespace tuile::compute::cuda
