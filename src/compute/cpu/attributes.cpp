#include "compute/cpu/attributes.hpp"

#include <algorithm>
#include <limits>

#include "features/formulas.hpp"

namespace tuile::compute {

namespace {

using features::Feature;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t points_per_task = 65536;

struct Rows {
  float* values;
  std::size_t columns, begin, end;
};

template <class Formula>
void fill(const Rows& rows, std::size_t column, Formula&& formula) {
  for (std::size_t i = rows.begin; i < rows.end; ++i) rows.values[i * rows.columns + column] = static_cast<float>(formula(i));
}

/// Whether a later pass fills the column.
bool is_filled_later(Feature feature) {
  return features::info(feature).neighbourhood || feature == Feature::num_points_2m || feature == Feature::height_above_ground;
}

/// Whether the block has what the column is made of.
bool has_input(const PointBlock& core, Feature feature) {
  switch (feature) {
    case Feature::intensity: return !core.intensity.empty();
    case Feature::return_number: return !core.return_number.empty();
    case Feature::number_of_returns: return !core.number_of_returns.empty();
    case Feature::red:
    case Feature::green:
    case Feature::blue: return core.has_rgb();
    case Feature::nir: return core.has_nir();
    case Feature::ndvi: return core.has_rgb() && core.has_nir();
    default: return true;
  }
}

void fill_column(const PointBlock& core, Feature feature, double colour_unit, const Rows& rows, std::size_t column) {
  const double scale = core.grid.scale;
  switch (feature) {
    case Feature::x: return fill(rows, column, [&](std::size_t i) { return core.units[i].x * scale; });
    case Feature::y: return fill(rows, column, [&](std::size_t i) { return core.units[i].y * scale; });
    case Feature::z: return fill(rows, column, [&](std::size_t i) { return core.units[i].z * scale; });
    case Feature::intensity: return fill(rows, column, [&](std::size_t i) { return core.intensity[i]; });
    case Feature::return_number: return fill(rows, column, [&](std::size_t i) { return core.return_number[i]; });
    case Feature::number_of_returns: return fill(rows, column, [&](std::size_t i) { return core.number_of_returns[i]; });
    case Feature::red: return fill(rows, column, [&](std::size_t i) { return core.red[i] / colour_unit; });
    case Feature::green: return fill(rows, column, [&](std::size_t i) { return core.green[i] / colour_unit; });
    case Feature::blue: return fill(rows, column, [&](std::size_t i) { return core.blue[i] / colour_unit; });
    case Feature::nir: return fill(rows, column, [&](std::size_t i) { return core.nir[i] / colour_unit; });
    case Feature::ndvi: return fill(rows, column, [&](std::size_t i) { return features::ndvi(core.red[i], core.nir[i]); });
    case Feature::is_ground: return fill(rows, column, [&](std::size_t i) { return core.classification[i] == 2 ? 1 : 0; });
    default: return;
  }
}

/// The bits of PointBlock::colour_known that the column needs.
std::uint8_t needed_colours(Feature feature) {
  constexpr std::uint8_t rgb = 1, nir = 2;
  switch (feature) {
    case Feature::red:
    case Feature::green:
    case Feature::blue: return rgb;
    case Feature::nir: return nir;
    case Feature::ndvi: return rgb | nir;
    default: return 0;
  }
}

/// NaN where the images that colours come from had no data.
void blank_unknown_colours(const PointBlock& core, Feature feature, const Rows& rows, std::size_t column) {
  const std::uint8_t needed = core.colour_known.empty() ? std::uint8_t{0} : needed_colours(feature);
  if (needed == 0) return;
  for (std::size_t i = rows.begin; i < rows.end; ++i) {
    if ((core.colour_known[i] & needed) != needed) rows.values[i * rows.columns + column] = nan;
  }
}

}  // namespace

std::vector<std::string> fill_attributes(const PointBlock& core, const features::FeaturePlan& plan, const std::uint8_t* valid,
                                         float* values, Executor& executor) {
  std::vector<std::string> missing;
  if (core.size() == 0) return missing;
  for (const features::Column& column : plan.columns) {
    if (!has_input(core, column.feature)) missing.push_back(column.name);
  }
  const double colour_unit = plan.color_depth == 8 ? 255.0 : 65535.0;
  executor.for_each((core.size() + points_per_task - 1) / points_per_task, [&](std::size_t task) {
    const Rows rows{values, plan.columns.size(), task * points_per_task, std::min(core.size(), (task + 1) * points_per_task)};
    for (std::size_t c = 0; c < plan.columns.size(); ++c) {
      const Feature feature = plan.columns[c].feature;
      if (!has_input(core, feature)) {
        fill(rows, c, [](std::size_t) { return nan; });
        continue;
      }
      if (!is_filled_later(feature)) fill_column(core, feature, colour_unit, rows, c);
      blank_unknown_colours(core, feature, rows, c);
      if (valid != nullptr && !features::info(feature).las_dimension) {
        for (std::size_t i = rows.begin; i < rows.end; ++i) {
          if (valid[i] == 0) values[i * rows.columns + c] = nan;
        }
      }
    }
  });
  return missing;
}

}  // namespace tuile::compute
