#include "feature_matrix.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <utility>

#include "arrays.hpp"
#include "tuile/core/nearest.hpp"

namespace py = pybind11;

namespace tuile::python {

namespace {

py::array values_of(const FeatureMatrix& matrix) {
  const FeatureBlock& block = *matrix.block;
  return view(block.values.data(), {static_cast<py::ssize_t>(block.points), static_cast<py::ssize_t>(block.columns())}, matrix.block,
              Access::writable);
}

py::array column_of(const FeatureMatrix& matrix, std::size_t column) {
  const FeatureBlock& block = *matrix.block;
  return view(block.values.data() + column, {static_cast<py::ssize_t>(block.points)}, matrix.block, Access::writable,
              {static_cast<py::ssize_t>(block.columns() * sizeof(float))});
}

py::array column_named(const FeatureMatrix& matrix, const std::string& name) {
  const std::vector<std::string>& names = matrix.block->names;
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) {
    const std::string like = nearest(name, names);
    throw py::key_error("there is no column '" + name + "'" + (like.empty() ? "" : "; did you mean '" + like + "'?"));
  }
  return column_of(matrix, static_cast<std::size_t>(at - names.begin()));
}

py::dict columns_of(const FeatureMatrix& matrix) {
  py::dict out;
  for (std::size_t c = 0; c < matrix.block->columns(); ++c) out[py::str(matrix.block->names[c])] = column_of(matrix, c);
  return out;
}

py::object valid_of(const FeatureMatrix& matrix) {
  if (matrix.valid == nullptr) return py::none();
  static_assert(sizeof(bool) == 1);
  return view(reinterpret_cast<const bool*>(matrix.valid->data()), {static_cast<py::ssize_t>(matrix.valid->size())}, matrix.valid,
              Access::writable);
}

py::object as_array(const FeatureMatrix& matrix, const py::object& dtype, const py::object& copy) {
  py::array values = values_of(matrix);
  const bool converts = !dtype.is_none() && !py::dtype::from_args(dtype).is(values.dtype());
  const bool must_copy = !copy.is_none() && copy.cast<bool>(), may_copy = copy.is_none() || must_copy;
  if (converts && !may_copy) throw py::value_error("the features are float32: as another dtype they must be copied");
  if (converts) return values.attr("astype")(dtype);
  return must_copy ? py::object(values.attr("copy")()) : py::object(values);
}

py::capsule dlpack_of(const FeatureMatrix& matrix, const py::object& stream, const py::object&, const py::object& device,
                      const py::object& copy) {
  if (!stream.is_none()) throw py::buffer_error("the features lie in host memory, where there are no streams; stream must be None");
  if (!copy.is_none() && copy.cast<bool>()) throw py::buffer_error("no copies are exported; copy what torch.from_dlpack gives");
  if (!device.is_none() && device.cast<std::pair<int, int>>() != dlpack_device()) {
    throw py::buffer_error("the features lie in host memory and are exported from there; move what torch.from_dlpack gives");
  }
  return to_dlpack(matrix);
}

}  // namespace

void bind_feature_matrix(py::module_& core) {
  py::class_<FeatureMatrix>(core, "FeatureMatrix", R"(Features of a tile: one row-major block of float32, points × columns.

Every array that it hands out is a writable view of the block, which lives as long as one of them does. DLPack consumers
(``torch.from_dlpack(matrix)``) get the same memory, too.)")
      .def_property_readonly(
          "names", [](const FeatureMatrix& matrix) { return matrix.block->names; }, "Names of the columns, in order.")
      .def_property_readonly("values", &values_of, "(N, F) float32: row i belongs to point i.")
      .def_property_readonly(
          "shape", [](const FeatureMatrix& matrix) { return py::make_tuple(matrix.block->points, matrix.block->columns()); }, "(N, F).")
      .def_property_readonly(
          "valid", &valid_of,
          "(N,) bool: False where preprocessing left the point out (its computed columns are NaN); None where preprocessing "
          "is off.")
      .def_property_readonly(
          "missing_columns", [](const FeatureMatrix& matrix) { return matrix.missing_columns; },
          "Columns whose input the tile lacks: NaN throughout, or left out as features.missing says.")
      .def_property_readonly(
          "degenerate_neighbourhoods", [](const FeatureMatrix& matrix) { return matrix.degenerate_neighbourhoods; },
          "Points with fewer than 3 neighbours, or all in one place: their ratios are 0.")
      .def_property_readonly(
          "truncated_neighbourhoods", [](const FeatureMatrix& matrix) { return matrix.truncated_neighbourhoods; },
          "Points whose neighbourhood reaches beyond the tile and its halo.")
      .def("columns", &columns_of, "The columns by name: (N,) float32 views with a stride of F values.")
      .def("__getitem__", &column_named, py::arg("name"))
      .def(
          "__contains__",
          [](const FeatureMatrix& matrix, const std::string& name) {
            return std::find(matrix.block->names.begin(), matrix.block->names.end(), name) != matrix.block->names.end();
          },
          py::arg("name"))
      .def("__len__", [](const FeatureMatrix& matrix) { return matrix.block->points; })
      .def("__array__", &as_array, py::arg("dtype") = py::none(), py::arg("copy") = py::none())
      .def("__dlpack__", &dlpack_of, py::kw_only(), py::arg("stream") = py::none(), py::arg("max_version") = py::none(),
           py::arg("dl_device") = py::none(), py::arg("copy") = py::none())
      .def("__dlpack_device__", [](const FeatureMatrix&) { return dlpack_device(); })
      .def("__repr__", [](const FeatureMatrix& matrix) {
        std::string names;
        for (const std::string& name : matrix.block->names) names += (names.empty() ? "" : ", ") + name;
        return "<tuile.FeatureMatrix of " + std::to_string(matrix.block->points) + " points: " + names + ">";
      });
}

}  // namespace tuile::python
