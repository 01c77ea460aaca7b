#pragma once

#include <pybind11/pybind11.h>

namespace tuile::python {

// What tuile._core is made of, one function a file. The order matters where one names types of another in its signatures.
void bind_errors(pybind11::module_& core);
void bind_config(pybind11::module_& core);
void bind_tiles(pybind11::module_& core);
void bind_ground_truth(pybind11::module_& core);
void bind_loader(pybind11::module_& core);
void bind_features(pybind11::module_& core);
void bind_files(pybind11::module_& core);
void bind_processor(pybind11::module_& core);
void bind_stream(pybind11::module_& core);

}  // namespace tuile::python
