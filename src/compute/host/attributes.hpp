#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compute/attribute_values.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::compute {

/// Pointers into the block, which must outlive them. color_depth: 8 or 16
Attributes attributes_of(const PointBlock& core, int color_depth);

/// The names of the columns that lack their input.
std::vector<std::string> missing_columns(const Attributes& attributes, const features::FeaturePlan& plan);

/// Fills the columns that come straight from the point's own record (coordinates, intensity, returns, colours, ndvi, is_ground), as in the
/// file whether preprocessing keeps the point or not, and writes NaN to all others of points that are not valid. Colours (and ndvi) of
/// points whose bit in colour_known is 0 are NaN.
/// valid   one per point, or null where all are
/// values  core.size() rows of plan.columns.size() columns
/// Returns the names of the columns that the block lacks the input for; they are NaN.
std::vector<std::string> fill_attributes(const PointBlock& core, const features::FeaturePlan& plan, const std::uint8_t* valid,
                                         float* values, Executor& executor);

}  // namespace tuile::compute
