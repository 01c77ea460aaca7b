#include "pipeline/assemble.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <unordered_set>

namespace tuile::pipeline {

namespace {

using Position = std::array<std::int64_t, 3>;  // absolute units

struct PositionHash {
  std::size_t operator()(const Position& p) const noexcept {
    std::uint64_t hash = 0x9E3779B97F4A7C15ULL;
    for (const std::int64_t value : p) hash = (hash ^ static_cast<std::uint64_t>(value)) * 0xD6E8FEB86659FD93ULL, hash ^= hash >> 32;
    return static_cast<std::size_t>(hash);
  }
};

/// The ground that is taken: extents, and the points on their edges.
class Claims {
 public:
  bool holds(const Position& p) const {
    bool on_edge = false;
    for (const GridBounds& box : boxes_) {
      if (box.strictly_contains(p[0], p[1])) return true;
      on_edge = on_edge || box.contains(p[0], p[1]);
    }
    return on_edge && edge_points_.contains(p);
  }

  void add(const PointBlock& block) {
    const GridBounds box = block.extent();
    if (box.empty()) return;
    boxes_.push_back(box);
    for (const GridPoint& unit : block.units) {
      const Position p = absolute(block, unit);
      if (!box.strictly_contains(p[0], p[1])) edge_points_.insert(p);
    }
  }

  static Position absolute(const PointBlock& block, const GridPoint& p) {
    return {block.grid.origin[0] + p.x, block.grid.origin[1] + p.y, block.grid.origin[2] + p.z};
  }

 private:
  std::vector<GridBounds> boxes_;
  std::unordered_set<Position, PositionHash> edge_points_;
};

PointBlock copy(const PointBlock& block) {
  std::vector<std::uint32_t> all(block.size());
  std::iota(all.begin(), all.end(), 0U);
  PointBlock out = select(block, all);
  if (block.rows.empty()) out.rows = {};
  return out;
}

}  // namespace

std::unique_ptr<AssembledTile> assemble(prefetch::TileHandle tile, std::span<const prefetch::TileHandle> parts, double grid_scale) {
  std::unique_ptr<AssembledTile> out = assemble(tile->points, parts, grid_scale);
  out->tile = std::move(tile);
  return out;
}

std::unique_ptr<AssembledTile> assemble(const PointBlock& core, std::span<const prefetch::TileHandle> parts, double grid_scale) {
  auto out = std::make_unique<AssembledTile>();
  out->core = &core;
  Grid grid = core.grid;
  if (grid.scale != grid_scale) {
    for (std::int64_t& origin : grid.origin) origin = std::llround(static_cast<double>(origin) * (grid.scale / grid_scale));
    grid.scale = grid_scale;
    out->regridded = regrid(copy(*out->core), grid);
    out->core = &out->regridded;
  }

  Claims claims;
  claims.add(*out->core);
  std::vector<PointBlock> kept;
  for (const prefetch::TileHandle& part : parts) {
    if (part == nullptr || part->points.size() == 0) continue;
    const PointBlock moved = regrid(copy(part->points), grid);
    std::vector<std::uint32_t> picks;
    for (std::uint32_t i = 0; i < moved.size(); ++i) {
      if (!claims.holds(Claims::absolute(moved, moved.units[i]))) picks.push_back(i);
    }
    claims.add(moved);
    kept.push_back(select(moved, picks));
  }
  std::vector<const PointBlock*> pointers;
  for (const PointBlock& block : kept) pointers.push_back(&block);
  out->halo = concatenate(pointers, grid);
  out->rounded = out->core->rounded || out->halo.rounded;
  return out;
}

}  // namespace tuile::pipeline
