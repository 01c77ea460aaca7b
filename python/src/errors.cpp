#include <exception>
#include <new>

#include "bindings.hpp"
#include "tuile/core/error.hpp"

namespace py = pybind11;

namespace tuile::python {

namespace {

const char* class_name(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::invalid_argument: return "InvalidArgument";
    case ErrorKind::config: return "ConfigError";
    case ErrorKind::not_found: return "NotFound";
    case ErrorKind::permission: return "PermissionDenied";
    case ErrorKind::io: return "IoError";
    case ErrorKind::corrupt: return "CorruptData";
    case ErrorKind::unsupported: return "Unsupported";
    case ErrorKind::out_of_memory: return "OutOfMemory";
    case ErrorKind::timeout: return "TimeoutError";
    case ErrorKind::cancelled: return "Cancelled";
    case ErrorKind::backend_unavailable: return "BackendUnavailable";
    case ErrorKind::device: return "DeviceError";
  }
  return "Error";
}

void raise(const char* name, const char* message) { PyErr_SetString(py::module_::import("tuile.errors").attr(name).ptr(), message); }

}  // namespace

void bind_errors(py::module_&) {
  // The classes themselves are Python's (tuile/errors.py): they inherit from the built-in exceptions that callers expect.
  py::register_exception_translator([](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const Error& e) {
      raise(class_name(e.kind()), e.what());
    } catch (const std::bad_alloc&) {
      raise("OutOfMemory", "out of memory; load fewer tiles at once, or give fewer points");
    }
  });
}

}  // namespace tuile::python
