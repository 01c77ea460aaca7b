#include "tuile/features/plan.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "tuile/core/error.hpp"
#include "tuile/core/nearest.hpp"

namespace tuile::features {

namespace {

/// The shortest decimal text that reads back as `value`: "2", "0.5".
std::string shortest(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  return {text, end};
}

/// What to do about a name that is none: the nearest one, where it looks like a slip, else where the names are.
std::string remedy(const std::string& name) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < feature_count; ++i) names.emplace_back(info(static_cast<Feature>(i)).name);
  const std::string close = nearest(name, names);
  if (!close.empty()) return "the nearest valid name is '" + close + "'";
  std::string all;
  for (const std::string& valid : names) all += (all.empty() ? "" : ", ") + valid;
  return "valid names are " + all;
}

void check(const Neighbourhood& scale) {
  if (!std::isfinite(scale.radius) || scale.radius < 0) {
    throw InvalidArgument("radius is " + shortest(scale.radius) + "; a finite number of metres is expected, 0 to use k");
  }
  if (scale.radius == 0 && (scale.k < 3 || scale.k > 4096)) {
    throw InvalidArgument("k is " + std::to_string(scale.k) + "; 3 to 4096 neighbours are expected (the point itself counts)");
  }
  if (scale.max_neighbors < 3 || scale.max_neighbors > 65536) {
    throw InvalidArgument("max_neighbors is " + std::to_string(scale.max_neighbors) + "; 3 to 65536 neighbours are expected");
  }
}

}  // namespace

std::string Neighbourhood::suffix() const { return radius > 0 ? "_r" + shortest(radius) : "_k" + std::to_string(k); }

std::vector<std::string> FeaturePlan::names() const {
  std::vector<std::string> all;
  all.reserve(columns.size());
  for (const Column& column : columns) all.push_back(column.name);
  return all;
}

FieldSet FeaturePlan::fields() const {
  FieldSet set;
  for (const Column& column : columns) {
    switch (column.feature) {
      case Feature::intensity: set = set.with(Field::intensity); break;
      case Feature::return_number:
      case Feature::number_of_returns: set = set.with(Field::returns); break;
      case Feature::red:
      case Feature::green:
      case Feature::blue: set = set.with(Field::rgb); break;
      case Feature::nir: set = set.with(Field::nir); break;
      case Feature::ndvi: set = set.with(Field::rgb).with(Field::nir); break;
      default: break;
    }
  }
  return set;
}

bool FeaturePlan::needs(Feature feature) const {
  return std::any_of(columns.begin(), columns.end(), [&](const Column& column) { return column.feature == feature; });
}

bool FeaturePlan::needs_ground() const { return needs(Feature::height_above_ground) || needs(Feature::facade_score); }

bool FeaturePlan::needs_neighbours() const {
  return std::any_of(columns.begin(), columns.end(),
                     [](const Column& column) { return info(column.feature).neighbourhood || column.feature == Feature::num_points_2m; });
}

FeaturePlan make_plan(const std::vector<std::string>& features, const std::vector<Neighbourhood>& scales, int color_depth) {
  if (color_depth != 8 && color_depth != 16) {
    throw InvalidArgument("color_depth is " + std::to_string(color_depth) + "; 8 or 16 bits are expected");
  }
  FeaturePlan plan;
  plan.color_depth = color_depth;
  plan.scales = scales.empty() ? std::vector<Neighbourhood>{Neighbourhood{}} : scales;
  std::set<std::string> suffixes;
  for (const Neighbourhood& scale : plan.scales) {
    check(scale);
    if (!suffixes.insert(scale.suffix()).second) {
      throw InvalidArgument("two scales are named '" + scale.suffix().substr(1) + "'; every scale needs its own k or radius");
    }
  }
  std::set<std::string> seen;
  for (const std::string& name : features) {
    const std::optional<Feature> feature = find(name);
    if (!feature) {
      throw InvalidArgument("feature '" + name + "' is unknown; " + remedy(name));
    }
    if (!seen.insert(name).second) throw InvalidArgument("feature '" + name + "' is listed twice; every column needs its own name");
    plan.columns.push_back({*feature, 0, name});
  }
  const std::vector<Column> main = plan.columns;
  for (std::size_t s = 1; s < plan.scales.size(); ++s) {
    for (const Column& column : main) {
      if (info(column.feature).neighbourhood) plan.columns.push_back({column.feature, s, column.name + plan.scales[s].suffix()});
    }
  }
  return plan;
}

}  // namespace tuile::features
