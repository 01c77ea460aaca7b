#include "ground_truth.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "interruptible.hpp"
#include "tiles.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/executor.hpp"

namespace py = pybind11;

namespace tuile::python {

namespace {

using Column = py::array_t<float, py::array::c_style | py::array::forcecast>;

/// The rings of area `a`: (n, 2) float64 each, views of the layer's vertices.
std::vector<py::array> rings(const TruthLayer& layer, std::size_t a) {
  const LayerAreas& areas = layer.layer().areas;
  if (a >= areas.size()) {
    throw py::index_error("area " + std::to_string(a) + " was asked for; the layer has " + std::to_string(areas.size()));
  }
  static_assert(sizeof(Position) == 2 * sizeof(double));
  std::vector<py::array> arrays;
  for (std::uint32_t r = areas.area_begin[a]; r < areas.area_begin[a + 1]; ++r) {
    const Position* const first = areas.vertices.data() + areas.ring_begin[r];
    const auto n = static_cast<py::ssize_t>(areas.ring_begin[r + 1] - areas.ring_begin[r]);
    arrays.push_back(view(&first->x, {n, 2}, layer.truth, Access::read_only));
  }
  return arrays;
}

py::array_t<double> bounds_of(const TruthLayer& layer) {
  const std::vector<Bounds>& bounds = layer.layer().areas.bounds;
  py::array_t<double> array(std::vector<py::ssize_t>{static_cast<py::ssize_t>(bounds.size()), 4});
  auto rows = array.mutable_unchecked<2>();
  for (py::ssize_t i = 0; i < rows.shape(0); ++i) {
    const Bounds& box = bounds[static_cast<std::size_t>(i)];
    rows(i, 0) = box.min_x;
    rows(i, 1) = box.min_y;
    rows(i, 2) = box.max_x;
    rows(i, 3) = box.max_y;
  }
  return array;
}

std::vector<std::string> needs_of(const TileGroundTruth& truth) {
  std::vector<std::string> names;
  for (const features::Feature feature : truth.labels->needs()) names.emplace_back(features::info(feature).name);
  return names;
}

/// (labels, sources, objects, object ids). columns: one per name, each as long as the tile.
py::tuple label(const TileGroundTruth& truth, const TilePoints& tile, const std::vector<std::string>& names,
                const std::vector<Column>& columns,
                const std::optional<py::array_t<std::uint8_t, py::array::c_style | py::array::forcecast>>& valid) {
  const std::size_t n = tile.points->size();
  FeatureBlock block{.names = names, .points = n, .values = Buffer<float>(n * names.size())};
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].ndim() != 1 || static_cast<std::size_t>(columns[c].size()) != n)
      throw InvalidArgument("the column '" + names[c] + "' has " + std::to_string(columns[c].size()) + " values; the tile has " +
                            std::to_string(n));
    for (std::size_t i = 0; i < n; ++i) block.values[i * names.size() + c] = columns[c].data()[i];
  }
  std::span<const std::uint8_t> kept;
  if (valid) {
    if (static_cast<std::size_t>(valid->size()) != n)
      throw InvalidArgument("valid has " + std::to_string(valid->size()) + " values; the tile has " + std::to_string(n));
    kept = {valid->data(), n};
  }
  struct Result {
    LabelBlock labels;
    ObjectTable objects;
  };
  const auto result = std::make_shared<Result>(interruptible([&](std::stop_token stop) {
    Executor executor;
    return Result{label::label_points(*tile.points, block, kept, *truth.truth, *truth.labels, executor, std::move(stop)),
                  object_table(*truth.truth)};
  }));
  const std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(n)};
  return py::make_tuple(view(result->labels.labels.data(), shape, result, Access::writable),
                        view(result->labels.source.data(), shape, result, Access::writable),
                        view(result->labels.object.data(), shape, result, Access::writable), result->objects.ids);
}

std::vector<py::dict> attributes_of(const TruthLayer& layer) {
  const LayerTruth& of = layer.layer();
  std::vector<py::dict> rows;
  for (const std::vector<std::string>& values : of.areas.attributes) {
    py::dict row;
    for (std::size_t a = 0; a < values.size(); ++a) row[py::str(of.attribute_names[a])] = values[a];
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

void bind_ground_truth(py::module_& core) {
  py::class_<TruthLayer>(core, "TruthLayer",
                         "One layer of a tile's ground truth: the areas (footprints, widened lines) of its objects near the tile.")
      .def_property_readonly(
          "name", [](const TruthLayer& layer) { return layer.layer().layer; }, "As configured.")
      .def_property_readonly(
          "outcome", [](const TruthLayer& layer) { return to_string(layer.layer().outcome); },
          "'data', 'confirmed empty', 'truncated', 'failed' or 'not requested'.")
      .def_property_readonly(
          "sound", [](const TruthLayer& layer) { return is_sound(layer.layer().outcome); },
          "Whether labels may be made from it: every object is there, or there are none.")
      .def_property_readonly(
          "reason", [](const TruthLayer& layer) { return layer.layer().reason; }, "Why it is not sound; else ''.")
      .def_property_readonly(
          "ids", [](const TruthLayer& layer) { return layer.layer().areas.ids; }, "The objects' identifiers, one per area.")
      .def_property_readonly("attributes", attributes_of, "One dict per area: the exported attributes as text, '' where null.")
      .def_property_readonly("bounds", bounds_of, "(areas, 4) float64: min_x, min_y, max_x, max_y, metres.")
      .def("rings", rings, py::arg("area"),
           "The rings of one area: (n, 2) float64 each, metres, first vertex not repeated. A place is inside where a ray from it crosses "
           "the\n"
           "rings an odd number of times, so holes and parts need no marks.")
      .def("__len__", [](const TruthLayer& layer) { return layer.layer().areas.size(); })
      .def("__repr__", [](const TruthLayer& layer) {
        return "<tuile.TruthLayer '" + layer.layer().layer + "', " + to_string(layer.layer().outcome) + ", " +
               std::to_string(layer.layer().areas.size()) + " areas>";
      });
  py::class_<TileGroundTruth>(core, "GroundTruth", "The ground truth of one tile, layer by layer. Immutable.")
      .def_property_readonly(
          "source", [](const TileGroundTruth& truth) { return truth.truth->source; }, "'wfs', or the file's name.")
      .def_property_readonly(
          "edition", [](const TileGroundTruth& truth) { return truth.truth->edition; }, "Of the data, where the source tells it.")
      .def_property_readonly(
          "complete", [](const TileGroundTruth& truth) { return truth.truth->complete(); }, "Whether every layer is sound.")
      .def_property_readonly(
          "nbytes", [](const TileGroundTruth& truth) { return truth.truth->bytes(); }, "Memory held.")
      .def_property_readonly(
          "layers",
          [](const TileGroundTruth& truth) {
            std::vector<TruthLayer> layers;
            for (std::size_t i = 0; i < truth.truth->layers.size(); ++i) layers.push_back({truth.truth, i});
            return layers;
          },
          "All layers, high priority first; one may stand more than once, with other objects.")
      .def_property_readonly("label_needs", needs_of, "Features that labelling reads.")
      .def("__getitem__",
           [](const TileGroundTruth& truth, const std::string& name) {
             const auto& layers = truth.truth->layers;
             const auto at = std::find_if(layers.begin(), layers.end(), [&](const LayerTruth& layer) { return layer.layer == name; });
             if (at == layers.end()) throw py::key_error("there is no layer '" + name + "'");
             return TruthLayer{truth.truth, static_cast<std::size_t>(at - layers.begin())};
           })
      .def("_label", label, py::arg("tile"), py::arg("names"), py::arg("columns"), py::arg("valid") = py::none())
      .def("__repr__", [](const TileGroundTruth& truth) {
        std::size_t objects = 0;
        for (const LayerTruth& layer : truth.truth->layers) objects += layer.areas.size();
        return "<tuile.GroundTruth from " + truth.truth->source + ", " + std::to_string(truth.truth->layers.size()) + " layers, " +
               std::to_string(objects) + " areas>";
      });
}

}  // namespace tuile::python
