#include "pipeline/output_columns.hpp"

#include <algorithm>
#include <string>

#include "tuile/core/error.hpp"

namespace tuile::pipeline {

namespace {

bool is_output(const RunPlan& plan, const std::string& name) {
  const auto& columns = plan.features.columns;
  return std::any_of(columns.begin(), columns.end(), [&](const features::Column& column) { return column.name == name; });
}

}  // namespace

void refuse_missing(const compute::TileOutput& output, const RunPlan& plan, config::Missing missing) {
  if (missing != config::Missing::error) return;
  std::string names;
  for (const std::string& name : output.missing_columns) {
    if (is_output(plan, name)) names += (names.empty() ? "" : ", ") + name;
  }
  if (names.empty()) return;
  throw InvalidArgument("the tile lacks the input of " + names +
                        " and features.missing is 'error'; use nan or drop, or leave the columns out");
}

void settle_columns(compute::TileOutput& output, const RunPlan& plan, config::Missing missing) {
  std::erase_if(output.missing_columns, [&](const std::string& name) { return !is_output(plan, name); });
  const auto& lacking = output.missing_columns;
  output.features.keep_columns([&](std::size_t c) {
    const bool is_asked_for = c < plan.features.columns.size();  // those that only labelling needs come after
    return is_asked_for &&
           !(missing == config::Missing::drop && std::find(lacking.begin(), lacking.end(), output.features.names[c]) != lacking.end());
  });
}

}  // namespace tuile::pipeline
