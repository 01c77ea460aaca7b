#include "compute/host/attributes.hpp"

#include <algorithm>
#include <limits>

namespace tuile::compute {

namespace {

using features::Feature;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t points_per_task = 65536;

/// One column of some rows.
struct Rows {
  float* values;
  std::size_t columns, begin, end;

  template <class Condition>
  void blank_where(std::size_t column, Condition&& condition) const {
    for (std::size_t i = begin; i < end; ++i) {
      if (condition(i)) values[i * columns + column] = nan;
    }
  }
};

template <class T>
const T* or_null(const Buffer<T>& array) {
  return array.empty() ? nullptr : array.data();
}

}  // namespace

Attributes attributes_of(const PointBlock& core, int color_depth) {
  Attributes attributes;
  attributes.units = or_null(core.units);
  attributes.classification = or_null(core.classification);
  attributes.intensity = or_null(core.intensity);
  attributes.return_number = or_null(core.return_number);
  attributes.number_of_returns = or_null(core.number_of_returns);
  if (core.has_rgb()) {
    attributes.red = core.red.data();
    attributes.green = core.green.data();
    attributes.blue = core.blue.data();
  }
  if (core.has_nir()) attributes.nir = core.nir.data();
  attributes.colour_known = or_null(core.colour_known);
  attributes.scale = core.grid.scale;
  attributes.colour_unit = color_depth == 8 ? 255.0 : 65535.0;
  return attributes;
}

std::vector<std::string> missing_columns(const Attributes& attributes, const features::FeaturePlan& plan) {
  std::vector<std::string> missing;
  for (const features::Column& column : plan.columns) {
    if (!has_input(attributes, column.feature)) missing.push_back(column.name);
  }
  return missing;
}

std::vector<std::string> fill_attributes(const PointBlock& core, const features::FeaturePlan& plan, const std::uint8_t* valid,
                                         float* values, Executor& executor) {
  if (core.size() == 0) return {};
  const Attributes from = attributes_of(core, plan.color_depth);
  executor.for_each((core.size() + points_per_task - 1) / points_per_task, [&](std::size_t task) {
    const Rows rows{values, plan.columns.size(), task * points_per_task, std::min(core.size(), (task + 1) * points_per_task)};
    for (std::size_t c = 0; c < plan.columns.size(); ++c) {
      const Feature feature = plan.columns[c].feature;
      if (!has_input(from, feature)) {
        rows.blank_where(c, [](std::size_t) { return true; });
        continue;
      }
      with_attribute(feature, [&]<Feature known>() {
        for (std::size_t i = rows.begin; i < rows.end; ++i) rows.values[i * rows.columns + c] = attribute<known>(from, i);
      });
      const std::uint8_t needed = from.colour_known == nullptr ? std::uint8_t{0} : needed_colours(feature);
      if (needed != 0) rows.blank_where(c, [&](std::size_t i) { return (from.colour_known[i] & needed) != needed; });
      if (valid != nullptr && !features::info(feature).las_dimension) rows.blank_where(c, [&](std::size_t i) { return valid[i] == 0; });
    }
  });
  return missing_columns(from, plan);
}

}  // namespace tuile::compute
