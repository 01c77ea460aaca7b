#pragma once

#include <cstddef>
#include <cstdint>

#include "features/formulas.hpp"
#include "tuile/core/point_block.hpp"

/// A triangulation as plain arrays, and the walk through it: host and device code, the same integers on both.
namespace tuile::compute {

/// Wide enough for every predicate on differences of int32; not in ISO C++, so named once.
__extension__ using Int128 = __int128;

/// Twice the signed area of (a, b, c), exactly: positive where they turn left. Any int32 coordinates.
TUILE_HD Int128 orient2d(const GridPoint& a, const GridPoint& b, const GridPoint& c) {
  const std::int64_t abx = std::int64_t{b.x} - a.x, aby = std::int64_t{b.y} - a.y;
  const std::int64_t acx = std::int64_t{c.x} - a.x, acy = std::int64_t{c.y} - a.y;
  return Int128{abx} * acy - Int128{aby} * acx;
}

TUILE_HD bool lexicographically_less(const GridPoint& a, const GridPoint& b) { return a.x != b.x ? a.x < b.x : a.y < b.y; }

/// The vertex that the triangles of the unbounded outside share, one per hull edge.
inline constexpr std::int32_t infinite_vertex = -1;

/// Vertices turn left; neighbour[i] lies across the edge opposite vertex[i].
struct MeshTriangle {
  std::int32_t vertex[3];
  std::int32_t neighbour[3];
};

TUILE_HD int next_slot(int slot) { return slot == 2 ? 0 : slot + 1; }
TUILE_HD int previous_slot(int slot) { return slot == 0 ? 2 : slot - 1; }

TUILE_HD bool is_unbounded(const MeshTriangle& triangle) { return (triangle.vertex[0] | triangle.vertex[1] | triangle.vertex[2]) < 0; }
/// Position of infinite_vertex in an unbounded triangle.
TUILE_HD int infinite_slot(const MeshTriangle& triangle) { return triangle.vertex[0] < 0 ? 0 : triangle.vertex[1] < 0 ? 1 : 2; }

/// Pointers into host or device memory that another owns.
struct MeshView {
  const GridPoint* points = nullptr;
  const MeshTriangle* triangles = nullptr;
  std::int32_t point_count = 0;
  std::int32_t triangle_count = 0;
};

/// The triangle whose closure holds (x, y), or the unbounded one across a hull edge that (x, y) lies strictly outside of.
/// Walks from triangle `start`; there must be triangles.
TUILE_HD std::int32_t locate(const MeshView& mesh, const GridPoint& query, std::int32_t start) {
  std::int32_t current = start, came_from = -1;
  if (const MeshTriangle& first = mesh.triangles[current]; is_unbounded(first)) current = first.neighbour[infinite_slot(first)];
  for (;;) {
    const MeshTriangle& here = mesh.triangles[current];
    std::int32_t step = -1;
    for (int slot = 0; slot < 3; ++slot) {
      const std::int32_t across = here.neighbour[slot];
      if (across == came_from) continue;
      if (orient2d(mesh.points[here.vertex[next_slot(slot)]], mesh.points[here.vertex[previous_slot(slot)]], query) < 0) {
        step = across;
        break;
      }
    }
    if (step < 0) return current;
    if (is_unbounded(mesh.triangles[step])) return step;
    came_from = current;
    current = step;
  }
}

}  // namespace tuile::compute
