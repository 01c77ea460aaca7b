#include "tuile/core/output_format.hpp"

#include <algorithm>
#include <array>

#include "tuile/core/error.hpp"

namespace tuile {

namespace {

constexpr std::array<OutputFormat, 2> formats{{
    {.name = "npz", .extension = ".npz", .what = "NumPy arrays", .cost = ""},
    {.name = "laz",
     .extension = ".laz",
     .what = "the tile with the features as extra bytes",
     .cost = "LAZ output decodes and encodes every record",
     .repeats_points = true,
     .longest_column_name = 32},
}};

}  // namespace

std::span<const OutputFormat> output_formats() noexcept { return formats; }

const OutputFormat* find_output_format(std::string_view name) noexcept {
  const auto at = std::find_if(formats.begin(), formats.end(), [&](const OutputFormat& format) { return format.name == name; });
  return at == formats.end() ? nullptr : &*at;
}

std::vector<const OutputFormat*> output_formats_of(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (find_output_format(name) == nullptr)
      throw InvalidArgument("'" + name + "' is no output format; " + output_format_names() + " are known");
  }
  std::vector<const OutputFormat*> rows;
  for (const OutputFormat& format : formats) {
    if (std::find(names.begin(), names.end(), format.name) != names.end()) rows.push_back(&format);
  }
  return rows;
}

std::string output_format_names() {
  std::string names;
  for (const OutputFormat& format : formats) names.append(names.empty() ? "" : ", ").append(format.name);
  return names;
}

bool repeats_points(const std::vector<std::string>& names) noexcept {
  return std::any_of(names.begin(), names.end(), [](const std::string& name) {
    const OutputFormat* const format = find_output_format(name);
    return format != nullptr && format->repeats_points;
  });
}

}  // namespace tuile
