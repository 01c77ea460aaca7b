#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <memory>
#include <utility>
#include <vector>

namespace tuile::python {

namespace py = pybind11;

/// Whether Python may write to an array over our memory.
enum class Access { read_only, writable };

/// A NumPy array over memory of ours, which `owner` keeps alive: nothing is copied. strides: bytes; empty: C order. Takes the GIL for
/// granted.
template <class T, class Owner>
py::array view(const T* data, std::vector<py::ssize_t> shape, std::shared_ptr<Owner> owner, Access access,
               std::vector<py::ssize_t> strides = {}) {
  using Kept = std::shared_ptr<Owner>;
  auto kept = std::make_unique<Kept>(std::move(owner));
  const py::capsule base(kept.get(), [](void* pointer) { delete static_cast<Kept*>(pointer); });
  kept.release();
  py::array array(py::dtype::of<std::remove_const_t<T>>(), std::move(shape), std::move(strides), data, base);
  if (access == Access::read_only) array.attr("setflags")(py::arg("write") = false);
  return array;
}

}  // namespace tuile::python
