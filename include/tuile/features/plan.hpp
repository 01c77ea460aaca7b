#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuile/core/point_block.hpp"

namespace tuile::features {

/// Every feature, in the order of the table (docs/features.md).
enum class Feature : std::uint8_t {
  x,
  y,
  z,
  intensity,
  return_number,
  number_of_returns,
  red,
  green,
  blue,
  nir,
  ndvi,
  normal_x,
  normal_y,
  normal_z,
  eigenvalue_1,
  eigenvalue_2,
  eigenvalue_3,
  sum_eigenvalues,
  linearity,
  planarity,
  sphericity,
  anisotropy,
  omnivariance,
  eigenentropy,
  curvature,
  verticality,
  horizontality,
  wall_likelihood,
  roof_likelihood,
  wall_score,
  roof_score,
  facade_score,
  vertical_std,
  vertical_range,
  neighborhood_extent,
  density,
  num_points_2m,
  height_above_ground,
  is_ground,
};
inline constexpr std::size_t feature_count = static_cast<std::size_t>(Feature::is_ground) + 1;

/// What is known of a feature, for messages, sidecars, file headers and pages. Text is UTF-8.
struct FeatureInfo {
  Feature feature;
  std::string_view name;
  std::string_view unit;         ///< "m", "m²", "1" …
  std::string_view description;  ///< at most 31 bytes: fits a LAS extra-bytes record
  bool neighbourhood;            ///< needs the point's neighbours (so it exists once per scale)
  bool las_dimension;            ///< stands in the LAS record already: LAZ output does not repeat it
  std::string_view range;        ///< "[0, 1]"; empty: any number
  std::string_view undefined;    ///< where it is NaN or what it is of a degenerate neighbourhood; empty: always defined
  std::string_view formula;
  std::string_view source;  ///< of the definition, e.g. "Weinmann 2015"; empty: the project's own, or plain
};
const FeatureInfo& info(Feature feature);
std::optional<Feature> find(std::string_view name);

/// Which points count as neighbours.
struct Neighbourhood {
  int k = 20;               ///< nearest points, the point itself included; ignored where radius is set
  double radius = 0;        ///< metres; > 0: all points within it, at most max_neighbors nearest
  int max_neighbors = 200;  ///< at most 65536
  /// Suffix of a further scale's columns: "_k50", "_r2", "_r0.5".
  std::string suffix() const;
  bool operator==(const Neighbourhood&) const = default;
};

/// One column of the output.
struct Column {
  Feature feature;
  std::size_t scale = 0;  ///< index into FeaturePlan::scales
  std::string name;       ///< with the scale's suffix
};

/// The columns to compute and what they need. Made once per run; immutable.
struct FeaturePlan {
  std::vector<Column> columns;
  std::vector<Neighbourhood> scales;  ///< [0] is the main one
  int color_depth = 16;               ///< 16 or 8: divisor 65535 or 255

  std::vector<std::string> names() const;
  /// Attributes that must be decoded for it.
  FieldSet fields() const;
  bool needs(Feature feature) const;
  bool needs_ground() const;      ///< height_above_ground or what is made of it
  bool needs_neighbours() const;  ///< any neighbourhood feature
};

/// The names of the sets, smallest first.
const std::vector<std::string>& set_names();
/// The names of a set (minimal, lod2, asprs, lod3, full), in its order. Throws InvalidArgument naming the sets.
std::vector<std::string> set_columns(std::string_view set);

/// features   names in the wanted order; scales: [0] the main neighbourhood, then further ones, each repeating the neighbourhood features
/// Throws InvalidArgument: unknown name (with the nearest valid one), a name twice, k < 3 or > 4096, radius not finite or negative,
/// max_neighbors < 3 or > 65536, color_depth not 8 or 16, two scales with one suffix.
FeaturePlan make_plan(const std::vector<std::string>& features, const std::vector<Neighbourhood>& scales, int color_depth = 16);

}  // namespace tuile::features
