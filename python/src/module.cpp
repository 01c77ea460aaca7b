#include "bindings.hpp"
#include "tuile/core/version.hpp"

PYBIND11_MODULE(_core, core) {
  using namespace tuile::python;
  core.doc() = "The C++ side of the package tuile. Use the names that the package itself exports.";
  core.attr("__version__") = tuile::version();
  bind_errors(core);
  bind_config(core);
  bind_tiles(core);
  bind_ground_truth(core);
  bind_loader(core);
  bind_features(core);
  bind_files(core);
  bind_processor(core);
  bind_stream(core);
}
