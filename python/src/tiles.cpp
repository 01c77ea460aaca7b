#include "tiles.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <stop_token>
#include <tuple>
#include <utility>

#include "arrays.hpp"
#include "bindings.hpp"
#include "interruptible.hpp"

namespace py = pybind11;

namespace tuile::python {

namespace {

template <class T>
std::optional<py::array> column(const TilePoints& tile, const Buffer<T>& values) {
  if (values.empty() || values.size() != tile.points->size()) return std::nullopt;
  return view(values.data(), {static_cast<py::ssize_t>(values.size())}, tile.points, Access::read_only);
}

py::array units(const TilePoints& tile) {
  static_assert(sizeof(GridPoint) == 3 * sizeof(std::int32_t));
  const auto n = static_cast<py::ssize_t>(tile.points->size());
  return view(reinterpret_cast<const std::int32_t*>(tile.points->units.data()), {n, 3}, tile.points, Access::read_only);
}

/// Coordinates in metres beyond `origin` (units), as (N, 3) of T.
template <class T>
py::array metres(const TilePoints& tile, const std::array<std::int64_t, 3>& origin) {
  const PointBlock& block = *tile.points;
  const double scale = block.grid.scale;
  const auto values = std::make_shared<Buffer<T>>(3 * block.size());
  interruptible([&](std::stop_token stop) {
    constexpr std::size_t at_once = 1U << 18;  // between two looks at the stop token
    for (std::size_t begin = 0; begin < block.size() && !stop.stop_requested(); begin += at_once) {
      const std::size_t end = std::min(block.size(), begin + at_once);
      for (std::size_t i = begin; i < end; ++i) {
        const std::array<std::int32_t, 3> unit{block.units[i].x, block.units[i].y, block.units[i].z};
        for (std::size_t a = 0; a < 3; ++a) (*values)[3 * i + a] = static_cast<T>(static_cast<double>(origin[a] + unit[a]) * scale);
      }
    }
  });
  return view(values->data(), {static_cast<py::ssize_t>(block.size()), 3}, values, Access::read_only);
}

/// What `make` makes, once. Another thread may have been faster: what is there first stays.
template <class Make>
py::array kept(std::optional<py::array>& place, Make&& make) {
  if (!place) {
    py::array made = make();
    if (!place) place = std::move(made);
  }
  return *place;
}

std::string representation(const TilePoints& tile) {
  const PointBlock& block = *tile.points;
  std::string text =
      "<tuile.TilePoints " + (tile.path.empty() ? std::string() : "'" + tile.path + "', ") + std::to_string(block.size()) + " points";
  if (tile.epsg != 0) text += ", EPSG:" + std::to_string(tile.epsg);
  return text + ">";
}

}  // namespace

void bind_tiles(py::module_& core) {
  py::class_<TilePoints>(
      core, "TilePoints",
      "The points of a tile, in file order. Immutable. Arrays are read-only views of the memory that they were decoded into,\n"
      "and keep it alive; an attribute that the file lacks, or that was not asked for, is None.")
      .def("__len__", [](const TilePoints& tile) { return tile.points->size(); })
      .def("__repr__", representation)
      .def_property_readonly("units", units,
                             "(N, 3) int32: coordinates in units of `scale`, relative to `origin`; the decoded buffer itself.")
      .def_property_readonly(
          "xyz", [](const TilePoints& tile) { return kept(tile.xyz, [&] {
                                                return metres<float>(tile, {0, 0, 0});
                                              }); },
          "(N, 3) float32: metres relative to `origin`. Made when first asked for, and kept.")
      .def_property_readonly(
          "points",
          [](const TilePoints& tile) { return kept(tile.absolute, [&] { return metres<double>(tile, tile.points->grid.origin); }); },
          "(N, 3) float64: absolute metres in the tile's CRS. Made when first asked for, and kept.")
      .def_property_readonly(
          "origin",
          [](const TilePoints& tile) {
            const std::array<double, 3> metres = tile.points->grid.origin_metres();
            return py::array_t<double>(3, metres.data());
          },
          "(3,) float64: metres that `xyz` is relative to.")
      .def_property_readonly(
          "scale", [](const TilePoints& tile) { return tile.points->grid.scale; }, "Metres per unit of `units`.")
      .def_property_readonly(
          "classification", [](const TilePoints& tile) { return column(tile, tile.points->classification); },
          "(N,) uint8: ASPRS classes as in the file.")
      .def_property_readonly(
          "intensity", [](const TilePoints& tile) { return column(tile, tile.points->intensity); }, "(N,) uint16, or None.")
      .def_property_readonly(
          "return_number", [](const TilePoints& tile) { return column(tile, tile.points->return_number); }, "(N,) uint8 from 1, or None.")
      .def_property_readonly(
          "number_of_returns", [](const TilePoints& tile) { return column(tile, tile.points->number_of_returns); }, "(N,) uint8, or None.")
      .def_property_readonly(
          "red", [](const TilePoints& tile) { return column(tile, tile.points->red); }, "(N,) uint16, or None.")
      .def_property_readonly(
          "green", [](const TilePoints& tile) { return column(tile, tile.points->green); }, "(N,) uint16, or None.")
      .def_property_readonly(
          "blue", [](const TilePoints& tile) { return column(tile, tile.points->blue); }, "(N,) uint16, or None.")
      .def_property_readonly(
          "nir", [](const TilePoints& tile) { return column(tile, tile.points->nir); }, "(N,) uint16: near infrared, or None.")
      .def_property_readonly(
          "rows", [](const TilePoints& tile) { return column(tile, tile.points->rows); },
          "(N,) uint32: index of the point in the file, of a tile that was loaded in part; else None.")
      .def_property_readonly(
          "bounds",
          [](const TilePoints& tile) {
            return py::module_::import("tuile.tiles")
                .attr("Bounds")(tile.bounds.min_x, tile.bounds.min_y, tile.bounds.max_x, tile.bounds.max_y);
          },
          "Bounds(min_x, min_y, max_x, max_y), metres: the file's own, or their part inside the box that was loaded.")
      .def_property_readonly(
          "crs", [](const TilePoints& tile) { return tile.epsg == 0 ? std::nullopt : std::optional<int>(tile.epsg); },
          "EPSG code of the horizontal CRS (int), or None where the file tells none.")
      .def_readonly("path", &TilePoints::path, "The file that the points come from; '' where there is none.")
      .def_readonly("warnings", &TilePoints::warnings, "What was odd about the file, a line each.");
}

}  // namespace tuile::python
