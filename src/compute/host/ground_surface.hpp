#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "compute/host/ground_thinning.hpp"
#include "compute/surface_view.hpp"
#include "tuile/core/host_memory.hpp"
#include "tuile/core/point_block.hpp"

namespace tuile::compute {

/// The ground as a piecewise-linear surface: a Delaunay triangulation of the ground points thinned to the lowest one per 0.5 m cell
/// (cells anchored at coordinate 0, never at the tile). Linear across gaps, the nearest ground point outside the hull.
/// Depends on the set of points only, not on their order. Immutable after construction; thread-safe.
class GroundSurface {
 public:
  /// points  ground points (class 2) of core and halo, units relative to grid.origin, any order, duplicates allowed
  /// memory  where the triangles, most of what a device gets a copy of, had best lie; null: anywhere
  GroundSurface(const GroundPoints& points, const Grid& grid, const std::shared_ptr<HostMemory>& memory = nullptr);
  GroundSurface(std::span<const GridPoint> points, const Grid& grid);
  ~GroundSurface();
  GroundSurface(GroundSurface&&) noexcept;
  GroundSurface& operator=(GroundSurface&&) noexcept;

  /// True where there is no ground point at all: no height can be given.
  bool empty() const noexcept { return view().empty(); }

  /// The surface as plain arrays, which live as long as it does: what heights are made of, here and on a device.
  const SurfaceView& view() const noexcept;

  /// Asks for heights along a path of nearby points: remembers where it was. One per thread.
  class Cursor {
   public:
    explicit Cursor(const GroundSurface& surface) noexcept : ground_(surface.view()) {}
    /// Ground height at (x, y), units relative to grid.origin (not rounded). The surface must not be empty.
    /// The result does not depend on what the cursor was asked before.
    double height(std::int32_t x, std::int32_t y) { return surface_height(ground_, x, y, triangle_); }

   private:
    SurfaceView ground_;
    std::int32_t triangle_ = -1;
  };

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tuile::compute
