#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "compute/blocks.hpp"
#include "compute/cpu/ground_surface.hpp"
#include "compute/cpu/point_tree.hpp"
#include "tuile/compute/backend.hpp"

namespace tuile::compute {

/// The columns of a tile that need the ground: height_above_ground and facade_score.
class Heights {
 public:
  Heights(const PointBlock& core, const features::FeaturePlan& plan, const Validity& validity);

  bool wanted() const noexcept { return !heights_.empty() || !facades_.empty(); }
  /// Bytes that the surface takes at most while it is made. reach: metres that the halo is wider than it says (Preprocess::reach)
  std::uint64_t surface_bytes(const TileInput& tile, double reach) const;
  /// Makes the surface from the valid ground points of core and halo.
  void build(const TilePoints& points);
  /// Writes the columns of the rows of a tree, or of all where there is none; a tree's order is the better one: a cursor finds the next
  /// triangle from the last. The column facade_score must hold wall_score. values: of core.size() rows. Thread-safe after build.
  void fill(const PointTree* tree, float* values, Executor& executor, const std::stop_token& stop) const;
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
