#include "coordinates.hpp"

#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "tuile/core/error.hpp"

namespace py = pybind11;

namespace tuile::python {

namespace {

std::string text(const py::handle& object) { return py::str(object); }

std::string type_name(const py::handle& object) { return py::str(py::type::handle_of(object).attr("__name__")); }

/// Any array-like as an array. Throws TypeError: `what` of another kind than `kinds` (NumPy's letters).
py::array as_array(py::handle values, const std::string& what, const std::string& kinds, const std::string& expected) {
  const bool masked = py::hasattr(values, "mask") && py::hasattr(values, "filled");
  const py::array array = values.is_none() || masked ? py::array() : py::array::ensure(values);
  if (!array || values.is_none() || masked || (!py::isinstance<py::array>(values) && array.ndim() == 0)) {
    PyErr_Clear();
    throw py::type_error(what + " of type " + type_name(values) + " were given; " + expected + " are expected");
  }
  if (kinds.find(array.dtype().kind()) == std::string::npos) {
    throw py::type_error(what + " of dtype " + text(array.dtype()) + " were given; " + expected + " are expected");
  }
  return array;
}

using Type = pipeline::CoordinateArray::Type;

std::optional<Type> type_of(const py::dtype& dtype) {
  const bool large = dtype.itemsize() == 8;
  if (dtype.itemsize() != 4 && !large) return std::nullopt;
  if (dtype.kind() == 'f') return large ? Type::float64 : Type::float32;
  if (dtype.kind() == 'i') return large ? Type::int64 : Type::int32;
  return std::nullopt;
}

std::string shape_text(const py::array& array) { return text(array.attr("shape")); }

}  // namespace

Coordinates coordinates(py::handle points) {
  Coordinates out{as_array(points, "points", "fiu", "(N, 3) floats or integers, in metres,"), {}};
  if (out.array.ndim() != 2 || out.array.shape(1) != 3) {
    throw InvalidArgument("points of shape " + shape_text(out.array) + " were given; (N, 3) is expected: x, y, z of each point");
  }
  py::dtype dtype = out.array.dtype();
  if (!dtype.attr("isnative").cast<bool>()) {
    dtype = py::dtype::from_args(dtype.attr("newbyteorder")("="));
    out.array = out.array.attr("astype")(dtype);
  }
  std::optional<Type> type = type_of(dtype);
  if (!type) {
    type = Type::float64;
    out.array = out.array.attr("astype")("float64");
  }
  out.view = {.data = out.array.data(),
              .rows = static_cast<std::size_t>(out.array.shape(0)),
              .row_stride = out.array.strides(0),
              .axis_stride = out.array.strides(1),
              .type = *type};
  return out;
}

namespace {

/// (N,) or (N, columns) whole numbers as int64, C order. columns: 0 for (N,)
py::array_t<std::int64_t> whole_numbers(py::handle values, const std::string& name, std::size_t rows, py::ssize_t columns,
                                        std::int64_t largest) {
  const std::string limits = "whole numbers from 0 to " + std::to_string(largest);
  const py::array array = as_array(values, name, "iu", limits);
  const bool fits = array.ndim() == (columns > 0 ? 2 : 1) && static_cast<std::size_t>(array.shape(0)) == rows &&
                    (columns == 0 || array.shape(1) == columns);
  if (!fits) {
    throw InvalidArgument(name + " of shape " + shape_text(array) + " was given with " + std::to_string(rows) + " points; (" +
                          std::to_string(rows) + (columns > 0 ? ", " + std::to_string(columns) : ",") + ") is expected");
  }
  py::array_t<std::int64_t> numbers(array.attr("astype")("int64", py::arg("order") = "C"));
  for (py::ssize_t i = 0; i < numbers.size(); ++i) {
    if (const std::int64_t value = numbers.data()[i]; value < 0 || value > largest) {
      throw InvalidArgument(name + " holds " + std::to_string(value) + "; " + limits + " are expected");
    }
  }
  return numbers;
}

template <class T>
Buffer<T> column(const py::array_t<std::int64_t>& numbers, std::size_t rows, std::size_t columns, std::size_t which) {
  Buffer<T> out(rows);
  for (std::size_t i = 0; i < rows; ++i) out[i] = static_cast<T>(numbers.data()[i * columns + which]);
  return out;
}

}  // namespace

PointBlock read_attributes(const Attributes& attributes, std::size_t rows) {
  constexpr std::int64_t class_limit = std::numeric_limits<std::uint8_t>::max(), limit = std::numeric_limits<std::uint16_t>::max();
  PointBlock out;
  const auto read = [&](const py::object& values, const char* name, py::ssize_t columns, std::int64_t largest, auto&&... to) {
    if (values.is_none()) return;
    const auto numbers = whole_numbers(values, name, rows, columns, largest);
    std::size_t which = 0;
    ((to = column<std::remove_cvref_t<decltype(to[0])>>(numbers, rows, sizeof...(to), which++)), ...);
  };
  read(attributes.classification, "classification", 0, class_limit, out.classification);
  read(attributes.intensity, "intensity", 0, limit, out.intensity);
  read(attributes.rgb, "rgb", 3, limit, out.red, out.green, out.blue);
  read(attributes.nir, "nir", 0, limit, out.nir);
  return out;
}

PointBlock with_attributes(PointBlock points, PointBlock attributes) {
  if (!attributes.classification.empty()) points.classification = std::move(attributes.classification);
  points.intensity = std::move(attributes.intensity);
  points.red = std::move(attributes.red);
  points.green = std::move(attributes.green);
  points.blue = std::move(attributes.blue);
  points.nir = std::move(attributes.nir);
  return points;
}

}  // namespace tuile::python
