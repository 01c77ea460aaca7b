#include <algorithm>
#include <array>

#include "tuile/features/plan.hpp"

namespace tuile::features {

namespace {

/// Sources of the definitions stand beside the formulas (features/formulas.hpp).
/// num_points_2m needs neighbours too, but always those within 2 m: it does not exist once per scale.
constexpr std::array<FeatureInfo, feature_count> table{{
    // feature, name, unit, description (≤ 31 bytes), neighbourhood, LAS dimension
    {Feature::x, "x", "m", "east of the tile origin", false, true},
    {Feature::y, "y", "m", "north of the tile origin", false, true},
    {Feature::z, "z", "m", "above the tile origin", false, true},
    {Feature::intensity, "intensity", "1", "intensity as in the file", false, true},
    {Feature::return_number, "return_number", "1", "return number", false, true},
    {Feature::number_of_returns, "number_of_returns", "1", "number of returns of the pulse", false, true},
    {Feature::red, "red", "1", "red, 0 to 1", false, true},
    {Feature::green, "green", "1", "green, 0 to 1", false, true},
    {Feature::blue, "blue", "1", "blue, 0 to 1", false, true},
    {Feature::nir, "nir", "1", "near infrared, 0 to 1", false, true},
    {Feature::ndvi, "ndvi", "1", "(nir - red) / (nir + red)", false, false},
    {Feature::normal_x, "normal_x", "1", "unit normal, x", true, false},
    {Feature::normal_y, "normal_y", "1", "unit normal, y", true, false},
    {Feature::normal_z, "normal_z", "1", "unit normal, z, never negative", true, false},
    {Feature::eigenvalue_1, "eigenvalue_1", "m²", "largest covariance eigenvalue", true, false},
    {Feature::eigenvalue_2, "eigenvalue_2", "m²", "middle covariance eigenvalue", true, false},
    {Feature::eigenvalue_3, "eigenvalue_3", "m²", "smallest covariance eigenvalue", true, false},
    {Feature::sum_eigenvalues, "sum_eigenvalues", "m²", "sum of the eigenvalues", true, false},
    {Feature::linearity, "linearity", "1", "(l1 - l2) / l1", true, false},
    {Feature::planarity, "planarity", "1", "(l2 - l3) / l1", true, false},
    {Feature::sphericity, "sphericity", "1", "l3 / l1", true, false},
    {Feature::anisotropy, "anisotropy", "1", "(l1 - l3) / l1", true, false},
    {Feature::omnivariance, "omnivariance", "m²", "cube root of l1 l2 l3", true, false},
    {Feature::eigenentropy, "eigenentropy", "1", "- sum p ln p, p = l / sum l", true, false},
    {Feature::curvature, "curvature", "1", "l3 / sum l, surface variation", true, false},
    {Feature::verticality, "verticality", "1", "1 - normal_z", true, false},
    {Feature::horizontality, "horizontality", "1", "normal_z", true, false},
    {Feature::wall_likelihood, "wall_likelihood", "1", "sqrt(verticality planarity)", true, false},
    {Feature::roof_likelihood, "roof_likelihood", "1", "sqrt(horizontality planarity)", true, false},
    {Feature::wall_score, "wall_score", "1", "verticality planarity", true, false},
    {Feature::roof_score, "roof_score", "1", "horizontality planarity", true, false},
    {Feature::facade_score, "facade_score", "1", "wall_score clamp(height / 3 m)", true, false},
    {Feature::vertical_std, "vertical_std", "m", "std deviation of neighbours' z", true, false},
    {Feature::vertical_range, "vertical_range", "m", "max - min of neighbours' z", true, false},
    {Feature::neighborhood_extent, "neighborhood_extent", "m", "distance, farthest neighbour", true, false},
    {Feature::density, "density", "m⁻³", "neighbours per ball volume", true, false},
    {Feature::num_points_2m, "num_points_2m", "1", "points within 2 m, itself too", false, false},
    {Feature::height_above_ground, "height_above_ground", "m", "z above the class-2 surface", false, false},
    {Feature::is_ground, "is_ground", "1", "1 where the class is 2", false, false},
}};

constexpr bool in_enum_order() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].feature) != i) return false;
    if (table[i].description.size() > 31 || table[i].name.size() > 24) return false;  // 24: a suffix must still fit 32 bytes
  }
  return true;
}
static_assert(in_enum_order());

}  // namespace

const FeatureInfo& info(Feature feature) { return table[static_cast<std::size_t>(feature)]; }

std::optional<Feature> find(std::string_view name) {
  const auto at = std::find_if(table.begin(), table.end(), [&](const FeatureInfo& entry) { return entry.name == name; });
  if (at == table.end()) return std::nullopt;
  return at->feature;
}

}  // namespace tuile::features
