#include <algorithm>
#include <array>

#include "tuile/features/plan.hpp"

namespace tuile::features {

namespace {

/// docs/features.md and tuile.list_features() are made of it. The titles of the sources stand beside the formulas (features/formulas.hpp).
/// num_points_2m needs neighbours too, but always those within 2 m: it does not exist once per scale.
constexpr std::array<FeatureInfo, feature_count> table{{
    // feature, name, unit, description (≤ 31 bytes), neighbourhood, LAS dimension, range, where it is not defined, formula, source
    {Feature::x, "x", "m", "east of the tile origin", false, true, "", "", "coordinate − origin", "LAS 1.4"},
    {Feature::y, "y", "m", "north of the tile origin", false, true, "", "", "coordinate − origin", "LAS 1.4"},
    {Feature::z, "z", "m", "above the tile origin", false, true, "", "", "coordinate − origin", "LAS 1.4"},
    {Feature::intensity, "intensity", "1", "intensity as in the file", false, true, "[0, 65535]", "", "as in the file", "LAS 1.4"},
    {Feature::return_number, "return_number", "1", "return number", false, true, "[1, 15]", "", "as in the file", "LAS 1.4"},
    {Feature::number_of_returns, "number_of_returns", "1", "number of returns of the pulse", false, true, "[1, 15]", "", "as in the file",
     "LAS 1.4"},
    {Feature::red, "red", "1", "red, 0 to 1", false, true, "[0, 1]", "NaN without colours",
     "value / 65535, or / 255 with features.color_depth 8", "LAS 1.4"},
    {Feature::green, "green", "1", "green, 0 to 1", false, true, "[0, 1]", "NaN without colours", "as red", "LAS 1.4"},
    {Feature::blue, "blue", "1", "blue, 0 to 1", false, true, "[0, 1]", "NaN without colours", "as red", "LAS 1.4"},
    {Feature::nir, "nir", "1", "near infrared, 0 to 1", false, true, "[0, 1]", "NaN without near infrared", "as red", "LAS 1.4"},
    {Feature::ndvi, "ndvi", "1", "(nir - red) / (nir + red)", false, false, "[−1, 1]",
     "NaN without red or near infrared; 0 where both are 0", "(nir − red) / (nir + red)", "Rouse 1974"},
    {Feature::normal_x, "normal_x", "1", "unit normal, x", true, false, "[−1, 1]", "degenerate: 0",
     "e3, turned so that its z is not negative", ""},
    {Feature::normal_y, "normal_y", "1", "unit normal, y", true, false, "[−1, 1]", "degenerate: 0", "as normal_x", ""},
    {Feature::normal_z, "normal_z", "1", "unit normal, z, never negative", true, false, "[0, 1]", "degenerate: 1", "as normal_x", ""},
    {Feature::eigenvalue_1, "eigenvalue_1", "m²", "largest covariance eigenvalue", true, false, "≥ 0", "", "λ1", ""},
    {Feature::eigenvalue_2, "eigenvalue_2", "m²", "middle covariance eigenvalue", true, false, "≥ 0", "", "λ2", ""},
    {Feature::eigenvalue_3, "eigenvalue_3", "m²", "smallest covariance eigenvalue", true, false, "≥ 0", "", "λ3", ""},
    {Feature::sum_eigenvalues, "sum_eigenvalues", "m²", "sum of the eigenvalues", true, false, "≥ 0", "", "λ1 + λ2 + λ3", "Weinmann 2015"},
    {Feature::linearity, "linearity", "1", "(l1 - l2) / l1", true, false, "[0, 1]", "degenerate: 0", "(λ1 − λ2) / λ1",
     "Demantké 2011; Weinmann 2015"},
    {Feature::planarity, "planarity", "1", "(l2 - l3) / l1", true, false, "[0, 1]", "degenerate: 0", "(λ2 − λ3) / λ1",
     "Demantké 2011; Weinmann 2015"},
    {Feature::sphericity, "sphericity", "1", "l3 / l1", true, false, "[0, 1]", "degenerate: 0", "λ3 / λ1", "Demantké 2011; Weinmann 2015"},
    {Feature::anisotropy, "anisotropy", "1", "(l1 - l3) / l1", true, false, "[0, 1]", "degenerate: 0", "(λ1 − λ3) / λ1", "Weinmann 2015"},
    {Feature::omnivariance, "omnivariance", "m²", "cube root of l1 l2 l3", true, false, "≥ 0", "", "(λ1 λ2 λ3)^(1/3)", "Weinmann 2015"},
    {Feature::eigenentropy, "eigenentropy", "1", "- sum p ln p, p = l / sum l", true, false, "[0, ln 3]", "degenerate: 0",
     "−Σ p ln p, p = λ / Σλ, 0 ln 0 = 0", "Weinmann 2015"},
    {Feature::curvature, "curvature", "1", "l3 / sum l, surface variation", true, false, "[0, 1/3]", "degenerate: 0", "λ3 / Σλ",
     "Pauly 2002"},
    {Feature::verticality, "verticality", "1", "1 - normal_z", true, false, "[0, 1]", "degenerate: 0", "1 − normal_z", "Guinard 2017"},
    {Feature::horizontality, "horizontality", "1", "normal_z", true, false, "[0, 1]", "degenerate: 1", "normal_z", "Guinard 2017"},
    {Feature::wall_likelihood, "wall_likelihood", "1", "sqrt(verticality planarity)", true, false, "[0, 1]", "degenerate: 0",
     "√(verticality · planarity)", ""},
    {Feature::roof_likelihood, "roof_likelihood", "1", "sqrt(horizontality planarity)", true, false, "[0, 1]", "degenerate: 0",
     "√(horizontality · planarity)", ""},
    {Feature::wall_score, "wall_score", "1", "verticality planarity", true, false, "[0, 1]", "degenerate: 0", "verticality · planarity",
     ""},
    {Feature::roof_score, "roof_score", "1", "horizontality planarity", true, false, "[0, 1]", "degenerate: 0", "horizontality · planarity",
     ""},
    {Feature::facade_score, "facade_score", "1", "wall_score clamp(height / 3 m)", true, false, "[0, 1]",
     "degenerate: 0; NaN without ground points", "wall_score · clamp(height_above_ground / 3 m, 0, 1)", ""},
    {Feature::vertical_std, "vertical_std", "m", "std deviation of neighbours' z", true, false, "≥ 0", "",
     "standard deviation (÷ n) of the neighbours' z", ""},
    {Feature::vertical_range, "vertical_range", "m", "max - min of neighbours' z", true, false, "≥ 0", "",
     "largest − smallest z of the neighbours", ""},
    {Feature::neighborhood_extent, "neighborhood_extent", "m", "distance, farthest neighbour", true, false, "≥ 0", "",
     "r, the distance to the farthest neighbour", ""},
    {Feature::density, "density", "m⁻³", "neighbours per ball volume", true, false, "≥ 0", "0 where r is 0", "n / (4/3 π r³)", ""},
    {Feature::num_points_2m, "num_points_2m", "1", "points within 2 m, itself too", false, false, "≥ 1", "",
     "points within 2 m, itself included", ""},
    {Feature::height_above_ground, "height_above_ground", "m", "z above the class-2 surface", false, false, "", "NaN without ground points",
     "z − ground(x, y)", ""},
    {Feature::is_ground, "is_ground", "1", "1 where the class is 2", false, false, "0 or 1", "", "class = 2", "LAS 1.4"},
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
