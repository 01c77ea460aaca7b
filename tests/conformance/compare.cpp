#include "conformance/compare.hpp"

#include <bit>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <typeinfo>

namespace tuile::conformance {

namespace {

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

std::string number(float value) {
  char text[48];
  std::snprintf(text, sizeof(text), "%.9g (0x%08x)", static_cast<double>(value), bits(value));
  return text;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text = "{";
  for (const std::string& name : names) text += (text.size() > 1 ? ", " : "") + name;
  return text + '}';
}

std::string values_difference(const FeatureBlock& expected, const FeatureBlock& got) {
  const std::size_t columns = expected.columns();
  std::size_t values = 0, first = 0;
  std::vector<std::size_t> of_column(columns, 0);
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    if (bits(expected.values[i]) == bits(got.values[i])) continue;
    if (values++ == 0) first = i;
    ++of_column[i % columns];
  }
  if (values == 0) return {};
  std::string text = std::to_string(values) + " of " + std::to_string(expected.values.size()) + " values differ, first " +
                     expected.names[first % columns] + " of point " + std::to_string(first / columns) + ": expected " +
                     number(expected.values[first]) + ", got " + number(got.values[first]) + "; by column:";
  for (std::size_t c = 0; c < columns; ++c) {
    if (of_column[c] > 0) text += ' ' + expected.names[c] + ' ' + std::to_string(of_column[c]);
  }
  return text;
}

std::string valid_difference(const Buffer<std::uint8_t>& expected, const Buffer<std::uint8_t>& got) {
  if (expected.size() != got.size())
    return "valid has " + std::to_string(got.size()) + " elements, expected " + std::to_string(expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] != got[i]) return "valid of point " + std::to_string(i) + " is " + std::to_string(got[i]);
  }
  return {};
}

// The outputs, or the error in their place.
struct Answer {
  std::vector<compute::TileOutput> outputs;
  std::string type, text;
};
Answer ask(compute::Backend& backend, std::span<const compute::TileInput> tiles, const features::FeaturePlan& plan,
           const compute::Preprocess& preprocess) {
  Answer answer;
  try {
    answer.outputs = backend.compute(tiles, plan, preprocess, {});
  } catch (const std::exception& error) {
    answer.type = typeid(error).name();
    answer.text = error.what();
  }
  return answer;
}

}  // namespace

std::string difference(const compute::TileOutput& expected, const compute::TileOutput& got) {
  if (expected.features.names != got.features.names)
    return "columns are " + joined(got.features.names) + ", expected " + joined(expected.features.names);
  if (expected.features.points != got.features.points || expected.features.values.size() != got.features.values.size()) {
    return std::to_string(got.features.points) + " rows, expected " + std::to_string(expected.features.points);
  }
  const auto counts = [](const compute::TileOutput& output) {
    return "removed by class " + std::to_string(output.removed.classes) + ", statistical " + std::to_string(output.removed.statistical) +
           ", radius " + std::to_string(output.removed.radius) + ", voxel " + std::to_string(output.removed.voxel) + "; degenerate " +
           std::to_string(output.degenerate_neighbourhoods) + ", truncated " + std::to_string(output.truncated_neighbourhoods);
  };
  if (counts(expected) != counts(got)) return counts(got) + "; expected: " + counts(expected);
  if (const std::string text = valid_difference(expected.valid, got.valid); !text.empty()) return text;
  if (expected.missing_columns != got.missing_columns) {
    return "missing columns are " + joined(got.missing_columns) + ", expected " + joined(expected.missing_columns);
  }
  return values_difference(expected.features, got.features);
}

std::string compare(compute::Backend& reference, compute::Backend& tested, std::span<const compute::TileInput> tiles,
                    const features::FeaturePlan& plan, const compute::Preprocess& preprocess) {
  const Answer expected = ask(reference, tiles, plan, preprocess), got = ask(tested, tiles, plan, preprocess);
  if (expected.type != got.type) return "answers '" + got.text + "', expected '" + expected.text + "' (empty: no error)";
  if (expected.outputs.size() != got.outputs.size()) return std::to_string(got.outputs.size()) + " outputs";
  for (std::size_t i = 0; i < expected.outputs.size(); ++i) {
    const std::string text = difference(expected.outputs[i], got.outputs[i]);
    if (!text.empty()) return (tiles.size() > 1 ? "tile " + std::to_string(i) + ": " : std::string()) + text;
  }
  return {};
}

std::string compare(compute::Backend& reference, compute::Backend& tested, const compute::TileInput& tile,
                    const features::FeaturePlan& plan, const compute::Preprocess& preprocess) {
  return compare(reference, tested, std::span(&tile, 1), plan, preprocess);
}

}  // namespace tuile::conformance
