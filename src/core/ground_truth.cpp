#include "tuile/core/ground_truth.hpp"

#include <algorithm>

namespace tuile {

const char* to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::data: return "data";
    case Outcome::confirmed_empty: return "confirmed empty";
    case Outcome::truncated: return "truncated";
    case Outcome::failed: return "failed";
    case Outcome::not_requested: return "not requested";
  }
  return "failed";
}

std::size_t LayerAreas::bytes() const noexcept {
  std::size_t total =
      vertices.size() * sizeof(Position) + (ring_begin.size() + area_begin.size()) * sizeof(std::uint32_t) + bounds.size() * sizeof(Bounds);
  for (const std::string& id : ids) total += sizeof(id) + id.size();
  for (const auto& values : attributes) {
    total += sizeof(values);
    for (const std::string& value : values) total += sizeof(value) + value.size();
  }
  return total;
}

void LayerAreas::append(const LayerAreas& other, std::size_t a) {
  for (std::uint32_t r = other.area_begin[a]; r < other.area_begin[a + 1]; ++r) {
    vertices.insert(vertices.end(), other.vertices.begin() + other.ring_begin[r], other.vertices.begin() + other.ring_begin[r + 1]);
    ring_begin.push_back(static_cast<std::uint32_t>(vertices.size()));
  }
  area_begin.push_back(static_cast<std::uint32_t>(ring_begin.size() - 1));
  ids.push_back(other.ids[a]);
  bounds.push_back(other.bounds[a]);
  attributes.push_back(other.attributes[a]);
}

bool GroundTruth::complete() const noexcept {
  return std::all_of(layers.begin(), layers.end(), [](const LayerTruth& layer) { return is_sound(layer.outcome); });
}

std::size_t GroundTruth::bytes() const noexcept {
  std::size_t total = 0;
  for (const LayerTruth& layer : layers) total += sizeof(layer) + layer.areas.bytes();
  return total;
}

ObjectTable object_table(const GroundTruth& truth) {
  ObjectTable table;
  for (const LayerTruth& layer : truth.layers) {
    for (const std::string& name : layer.attribute_names) {
      if (std::find(table.attribute_names.begin(), table.attribute_names.end(), name) == table.attribute_names.end())
        table.attribute_names.push_back(name);
    }
  }
  for (std::size_t l = 0; l < truth.layers.size(); ++l) {
    const LayerTruth& layer = truth.layers[l];
    for (std::size_t a = 0; a < layer.areas.size(); ++a) {
      table.ids.push_back(layer.areas.ids[a]);
      table.layer.push_back(static_cast<std::uint8_t>(l + 1));
      for (const std::string& name : table.attribute_names) {
        const auto at = std::find(layer.attribute_names.begin(), layer.attribute_names.end(), name);
        table.attributes.push_back(at == layer.attribute_names.end()
                                       ? ""
                                       : layer.areas.attributes[a][static_cast<std::size_t>(at - layer.attribute_names.begin())]);
      }
    }
  }
  return table;
}

}  // namespace tuile
