#include "compute/search_reach.hpp"

namespace tuile::compute {

using features::Feature;

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

}  // namespace tuile::compute
