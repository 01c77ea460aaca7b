#include "tuile/core/error.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::features {

const std::vector<std::string>& set_names() {
  static const std::vector<std::string> names{"minimal", "lod2", "asprs", "lod3", "full"};
  return names;
}

std::vector<std::string> set_columns(std::string_view set) {
  if (set == "minimal") return {"normal_z", "planarity", "height_above_ground", "density"};
  if (set == "lod2") {
    return {"x", "y", "z", "normal_z", "planarity", "linearity", "height_above_ground", "verticality", "red", "green", "blue", "ndvi"};
  }
  if (set == "asprs") {
    return {"x",           "y",
            "z",           "normal_x",
            "normal_y",    "normal_z",
            "planarity",   "sphericity",
            "curvature",   "height_above_ground",
            "verticality", "horizontality",
            "density",     "red",
            "green",       "blue",
            "ndvi"};
  }
  if (set == "lod3") {
    std::vector<std::string> columns = set_columns("lod2");
    for (const char* name : {"normal_x",        "normal_y",        "curvature",     "sphericity",          "anisotropy",   "omnivariance",
                             "eigenvalue_1",    "eigenvalue_2",    "eigenvalue_3",  "sum_eigenvalues",     "eigenentropy", "horizontality",
                             "wall_likelihood", "roof_likelihood", "wall_score",    "roof_score",          "facade_score", "vertical_std",
                             "vertical_range",  "density",         "num_points_2m", "neighborhood_extent", "is_ground",    "nir"}) {
      columns.emplace_back(name);
    }
    return columns;
  }
  if (set == "full") {
    std::vector<std::string> columns;
    for (std::size_t i = 0; i < feature_count; ++i) columns.emplace_back(info(static_cast<Feature>(i)).name);
    return columns;
  }
  throw InvalidArgument("feature set '" + std::string(set) +
                        "' is unknown; expected minimal, lod2, asprs, lod3 or full, or a list of feature names");
}

}  // namespace tuile::features
