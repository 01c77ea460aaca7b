#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "compute/blocks.hpp"
#include "compute/host/ground_surface.hpp"
#include "tuile/compute/backend.hpp"

namespace tuile::compute {

/// An order of points: indices of core points, then of those of the halo, `stride` words apart; indices beyond are none.
struct PointOrder {
  const std::uint32_t* indices = nullptr;
  std::size_t stride = 1;
  std::size_t count = 0;
};

/// Bytes per ground point, the lowest of each cell, that are held while the surface is made.
inline constexpr std::uint64_t surface_bytes_per_ground_point = 80;

/// The columns of a tile that need the ground: height_above_ground and facade_score.
class Heights {
 public:
  Heights(const PointBlock& core, const features::FeaturePlan& plan, const Validity& validity);

  bool wanted() const noexcept { return !heights_.empty() || !facades_.empty(); }
  /// Bytes that the surface takes at most while it is made. reach: metres that the halo is wider than it says (Preprocess::reach)
  std::uint64_t surface_bytes(const TileInput& tile, double reach) const;
  /// Makes the surface from the valid ground points of core and halo.
  void build(const TilePoints& points);
  /// Writes the columns of the core points of an order, or of all where that has no indices; an order along a curve is the better one: a
  /// cursor finds the next triangle from the last. The column facade_score must hold wall_score. values: of core.size() rows. Thread-safe
  /// after build.
  void fill(const PointOrder& order, float* values, Executor& executor, const std::stop_token& stop) const;
  /// The columns that are NaN for want of ground, in the plan's order.
  std::vector<std::string> missing_columns() const;

 private:
  const PointBlock& core_;
  const features::FeaturePlan& plan_;
  const Validity validity_;
  std::vector<std::size_t> heights_, facades_;  ///< columns
  std::optional<GroundSurface> surface_;
};

}  // namespace tuile::compute
