#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "compute/mesh.hpp"
#include "tuile/core/buffer.hpp"
#include "tuile/core/point_block.hpp"

namespace tuile::compute {

/// Delaunay triangulation of points with distinct (x, y), by incremental insertion with exact integer predicates.
///
/// Ties between cocircular points are broken by raising each point's lift by an infinitesimal that grows with its (x, y) in
/// lexicographic order, so the triangulation is unique: it depends on the set of points alone, not on their order nor on the origin.
/// The unbounded outside is cut into triangles too, one per hull edge, that share the vertex `infinite_vertex`.
///
/// Only time depends on the order; take spatial_order, then it is about linear.
/// Source: Bowyer 1981 and Watson 1981 (insertion), Devillers and Teillaud 2011 (perturbation).
class Delaunay {
 public:
  /// Largest difference between two x (or two y) that the in-circle predicate takes exactly.
  static constexpr std::int64_t largest_extent = std::int64_t{1} << 30;

  using Triangle = MeshTriangle;

  Delaunay() = default;
  /// memory: where the triangles had best lie; null: anywhere
  /// Throws Unsupported where the points span more than `largest_extent`, or where there are more than 2^29 of them.
  explicit Delaunay(std::vector<GridPoint> points, const std::shared_ptr<HostMemory>& memory = nullptr);

  const std::vector<GridPoint>& points() const noexcept { return points_; }
  /// Empty where the points are fewer than three or all on one line.
  std::span<const Triangle> triangles() const noexcept { return triangles_.span(); }

  /// Pointers into this triangulation.
  MeshView view() const noexcept {
    return {points_.data(), triangles_.data(), static_cast<std::int32_t>(points_.size()), static_cast<std::int32_t>(triangles_.size())};
  }

  /// compute::locate in this triangulation.
  std::int32_t locate(const GridPoint& at, std::int32_t start) const noexcept { return compute::locate(view(), at, start); }

 private:
  /// A boundary edge of the region that a new point empties, seen from inside: from `from` to `to`.
  struct Rim {
    std::int32_t from, to, outside;
    int outside_slot;
  };
  struct Edge {
    std::int32_t triangle;
    int slot;
  };

  void check_extent() const;
  void start_with(std::int32_t a, std::int32_t b, std::int32_t c);
  void insert(std::int32_t vertex);
  bool conflicts(const Triangle& triangle, const GridPoint& point) const noexcept;
  const GridPoint& at(std::int32_t vertex) const noexcept { return points_[static_cast<std::size_t>(vertex)]; }
  Triangle& triangle(std::int32_t index) noexcept { return triangles_[static_cast<std::size_t>(index)]; }
  const Triangle& triangle(std::int32_t index) const noexcept { return triangles_[static_cast<std::size_t>(index)]; }

  std::vector<GridPoint> points_;
  Buffer<Triangle> triangles_;
  std::int32_t count_ = 0;  ///< triangles made so far
  std::int32_t last_ = 0;   ///< where the next walk starts
  // Scratch of insert(), kept so that an insertion allocates nothing.
  std::vector<std::int32_t> cavity_;
  std::vector<Edge> stack_;
  std::vector<Rim> rim_;
};

/// The points in a biased randomised insertion order: rounds of growing size, drawn by a hash of the coordinates, each along a Hilbert
/// curve so that each point lies near the one before. The n log n of randomness whatever the points, with the walks of a spatial sort.
/// Source: Amenta, Choi and Rote 2003.
/// Throws Unsupported for more than 2^29 points.
std::vector<GridPoint> spatial_order(std::vector<GridPoint> points);

}  // namespace tuile::compute
