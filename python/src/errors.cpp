#include <exception>
#include <new>

#include "bindings.hpp"
#include "tuile/core/error.hpp"

namespace py = pybind11;

namespace tuile::python {

namespace {

void raise(const char* name, const char* message) { PyErr_SetString(py::module_::import("tuile.errors").attr(name).ptr(), message); }

}  // namespace

void bind_errors(py::module_& m) {
  m.def(
      "error_kinds",
      [] {
        py::dict kinds;
        for (const ErrorTraits& kind : error_kinds()) {
          const bool never = kind.remedy == Remedy::input || kind.remedy == Remedy::configuration;
          kinds[kind.name] = py::make_tuple(kind.python_class, never);
        }
        return kinds;
      },
      "Name of each kind of error -> its class in tuile.errors, and whether the same call gives it again wherever it is made.");
  // The classes themselves are Python's (tuile/errors.py): they inherit from the built-in exceptions that callers expect.
  py::register_exception_translator([](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const Error& e) {
      raise(traits(e.kind()).python_class, e.what());
    } catch (const std::bad_alloc&) {
      raise("OutOfMemory", "out of memory; load fewer tiles at once, or give fewer points");
    }
  });
}

}  // namespace tuile::python
