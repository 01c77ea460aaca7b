#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>

#include "tuile/core/point_block.hpp"
#include "tuile/pipeline/feature_computer.hpp"

namespace tuile::python {

/// An array of coordinates that a caller gave, and what keeps its memory.
struct Coordinates {
  pybind11::array array;
  pipeline::CoordinateArray view;
};

/// (N, 3) numbers, any strides: looked at where they lie, except where they are of a type or byte order that C++ does not read (then a
/// copy). Throws TypeError (not numbers), InvalidArgument (another shape).
Coordinates coordinates(pybind11::handle points);

/// What else was given of `rows` points; None where it was not. classification, intensity, nir: (N,) whole numbers, rgb: (N, 3).
struct Attributes {
  pybind11::object classification, intensity, rgb, nir;
};

/// A block without coordinates that holds them. Throws TypeError, InvalidArgument naming the attribute: not whole numbers, too large, of
/// another shape.
PointBlock read_attributes(const Attributes& attributes, std::size_t rows);

/// `points` with what `attributes` holds, of as many points.
PointBlock with_attributes(PointBlock points, PointBlock attributes);

}  // namespace tuile::python
