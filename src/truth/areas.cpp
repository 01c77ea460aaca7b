#include <algorithm>
#include <numeric>

#include "areas_attributes.hpp"
#include "areas_wkb.hpp"
#include "gdal_vector.hpp"
#include "geos_polygons.hpp"
#include "tuile/truth/layer.hpp"

namespace tuile::truth {

namespace {

Shapes shapes_of(const Feature& feature) {
  Shapes shapes;
  if (feature.geometry.empty()) return shapes;
  WkbResult result = read_wkb(feature.geometry, shapes);
  if (result == WkbResult::curved) {
    shapes = {};
    result = read_wkb(ogr::linear_wkb(feature.geometry), shapes);
  }
  if (result != WkbResult::read) {
    shapes = {};
    shapes.mended = true;
  }
  return shapes;
}

/// The valid polygons of one feature. Sets `mended` where the feature's own were not.
std::vector<Rings> outline(const Feature& feature, const Layer& layer, GeosPolygons& geos, bool& mended) {
  Shapes shapes = shapes_of(feature);
  mended = shapes.mended;
  if (!shapes.polygons.empty() && !geos.is_valid(shapes.polygons)) {
    mended = true;
    shapes.polygons = geos.mended(shapes.polygons);
  }
  const double distance = layer.buffer && !shapes.lines.empty() ? buffer_distance(feature, *layer.buffer) : 0;
  if (!(distance > 0)) return std::move(shapes.polygons);
  return geos.buffered(shapes.lines, distance, layer.buffer->flat_caps, shapes.polygons);
}

void append(const Feature& feature, const std::vector<Rings>& polygons, const Layer& layer, LayerAreas& areas) {
  Bounds bounds;
  for (const Rings& rings : polygons) {
    for (const Ring& ring : rings) {
      for (const Position& place : ring) {
        bounds = {std::min(bounds.min_x, place.x), std::min(bounds.min_y, place.y), std::max(bounds.max_x, place.x),
                  std::max(bounds.max_y, place.y)};
      }
      areas.vertices.insert(areas.vertices.end(), ring.begin(), ring.end());
      areas.ring_begin.push_back(static_cast<std::uint32_t>(areas.vertices.size()));
    }
  }
  areas.area_begin.push_back(static_cast<std::uint32_t>(areas.ring_begin.size() - 1));
  areas.ids.push_back(feature.id);
  areas.bounds.push_back(bounds);
  std::vector<std::string>& values = areas.attributes.emplace_back();
  for (const std::string& name : layer.attributes) {
    const AttributeValue* value = find_attribute(feature, name);
    values.push_back(value != nullptr ? to_text(*value) : std::string());
  }
}

}  // namespace

LayerAreas make_areas(std::span<const Feature> features, const Layer& layer, std::uint64_t& repaired) {
  std::vector<std::size_t> order(features.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return features[a].id < features[b].id; });
  const auto same_id = [&](std::size_t a, std::size_t b) { return features[a].id == features[b].id; };
  order.erase(std::unique(order.begin(), order.end(), same_id), order.end());

  GeosPolygons geos;
  LayerAreas areas;
  for (const std::size_t i : order) {
    if (!passes(features[i], layer.only)) continue;
    bool mended = false;
    const std::vector<Rings> polygons = outline(features[i], layer, geos, mended);
    if (mended) ++repaired;
    if (!polygons.empty()) append(features[i], polygons, layer, areas);
  }
  areas.vertices.shrink_to_fit();  // the memory cache counts what is in use
  return areas;
}

}  // namespace tuile::truth
