#pragma once

#include <cmath>

#include "features/formulas.hpp"
#include "tuile/features/plan.hpp"

/// Which formula a neighbourhood feature is, once for every backend.
namespace tuile::features {

/// A neighbourhood, from the exact sums of its points.
struct NeighbourhoodValues {
  Shape shape;
  double unit;    ///< ratio_unit
  double n;       ///< points
  double zz;      ///< n² × variance of z, units²
  double reach2;  ///< largest squared distance, units²
  double z_span;  ///< units
  double scale;   ///< metres per unit
};

/// The value of a feature; facade_score without its height factor.
template <Feature feature>
TUILE_HD double neighbourhood_value(const NeighbourhoodValues& v) {
  const Shape& s = v.shape;
  if constexpr (feature == Feature::normal_x) return s.nx;
  if constexpr (feature == Feature::normal_y) return s.ny;
  if constexpr (feature == Feature::normal_z) return s.nz;
  if constexpr (feature == Feature::eigenvalue_1) return s.l1;
  if constexpr (feature == Feature::eigenvalue_2) return s.l2;
  if constexpr (feature == Feature::eigenvalue_3) return s.l3;
  if constexpr (feature == Feature::sum_eigenvalues) return sum_eigenvalues(s);
  if constexpr (feature == Feature::linearity) return linearity(s, v.unit);
  if constexpr (feature == Feature::planarity) return planarity(s, v.unit);
  if constexpr (feature == Feature::sphericity) return sphericity(s, v.unit);
  if constexpr (feature == Feature::anisotropy) return anisotropy(s, v.unit);
  if constexpr (feature == Feature::omnivariance) return omnivariance(s);
  if constexpr (feature == Feature::eigenentropy) return eigenentropy(s, v.unit);
  if constexpr (feature == Feature::curvature) return curvature(s, v.unit);
  if constexpr (feature == Feature::verticality) return verticality(s);
  if constexpr (feature == Feature::horizontality) return horizontality(s);
  if constexpr (feature == Feature::wall_likelihood) return wall_likelihood(s, v.unit);
  if constexpr (feature == Feature::roof_likelihood) return roof_likelihood(s, v.unit);
  if constexpr (feature == Feature::wall_score || feature == Feature::facade_score) return wall_score(s, v.unit);
  if constexpr (feature == Feature::roof_score) return roof_score(s, v.unit);
  if constexpr (feature == Feature::vertical_std) return vertical_std(v.n, v.zz, v.scale);
  if constexpr (feature == Feature::vertical_range) return v.z_span * v.scale;
  if constexpr (feature == Feature::neighborhood_extent) return std::sqrt(v.reach2) * v.scale;
  if constexpr (feature == Feature::density) return density(v.n, std::sqrt(v.reach2) * v.scale);
}

/// Calls action.operator()<feature>() where `feature` is made from a neighbourhood.
template <class Action>
TUILE_HD void with_neighbourhood_feature(Feature feature, const Action& action) {
  switch (feature) {
    case Feature::normal_x: return action.template operator()<Feature::normal_x>();
    case Feature::normal_y: return action.template operator()<Feature::normal_y>();
    case Feature::normal_z: return action.template operator()<Feature::normal_z>();
    case Feature::eigenvalue_1: return action.template operator()<Feature::eigenvalue_1>();
    case Feature::eigenvalue_2: return action.template operator()<Feature::eigenvalue_2>();
    case Feature::eigenvalue_3: return action.template operator()<Feature::eigenvalue_3>();
    case Feature::sum_eigenvalues: return action.template operator()<Feature::sum_eigenvalues>();
    case Feature::linearity: return action.template operator()<Feature::linearity>();
    case Feature::planarity: return action.template operator()<Feature::planarity>();
    case Feature::sphericity: return action.template operator()<Feature::sphericity>();
    case Feature::anisotropy: return action.template operator()<Feature::anisotropy>();
    case Feature::omnivariance: return action.template operator()<Feature::omnivariance>();
    case Feature::eigenentropy: return action.template operator()<Feature::eigenentropy>();
    case Feature::curvature: return action.template operator()<Feature::curvature>();
    case Feature::verticality: return action.template operator()<Feature::verticality>();
    case Feature::horizontality: return action.template operator()<Feature::horizontality>();
    case Feature::wall_likelihood: return action.template operator()<Feature::wall_likelihood>();
    case Feature::roof_likelihood: return action.template operator()<Feature::roof_likelihood>();
    case Feature::wall_score: return action.template operator()<Feature::wall_score>();
    case Feature::roof_score: return action.template operator()<Feature::roof_score>();
    case Feature::facade_score: return action.template operator()<Feature::facade_score>();
    case Feature::vertical_std: return action.template operator()<Feature::vertical_std>();
    case Feature::vertical_range: return action.template operator()<Feature::vertical_range>();
    case Feature::neighborhood_extent: return action.template operator()<Feature::neighborhood_extent>();
    case Feature::density: return action.template operator()<Feature::density>();
    default: return;  // not made from a neighbourhood
  }
}

}  // namespace tuile::features
