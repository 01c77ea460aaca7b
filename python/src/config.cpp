#include "config.hpp"

#include <pybind11/stl.h>

#include <string>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "tuile/config/load.hpp"
#include "tuile/pipeline/lidar_processor.hpp"

namespace py = pybind11;

namespace tuile::python {

void bind_config(py::module_& core) {
  py::class_<NativeConfig>(core, "Config")
      .def(py::init([](std::string preset, std::string file, std::string text, std::vector<std::string> set) {
             NativeConfig config{config::load_config({.preset = std::move(preset),
                                                      .file = std::move(file),
                                                      .text = std::move(text),
                                                      .set = std::move(set),
                                                      .set_name = "settings"})};
             pipeline::check_config(config.value);
             return config;
           }),
           py::arg("preset") = "", py::arg("file") = "", py::arg("text") = "", py::arg("set") = std::vector<std::string>{},
           "text: YAML; set: 'key=YAML' each. Later ones win.")
      .def_property_readonly("ground_truth_source", [](const NativeConfig& config) { return config.value.ground_truth.source; })
      .def(
          "yaml", [](const NativeConfig& config) { return config::effective_yaml(config.value); }, "The effective configuration as YAML.")
      .def(
          "byte_relevant_text", [](const NativeConfig& config) { return config::byte_relevant_text(config.value); },
          "The keys that can change output bytes, one a line.");
  core.def(
      "presets",
      [] {
        std::vector<std::pair<std::string, std::string>> names;
        for (const config::Preset& preset : config::presets()) names.emplace_back(preset.name, preset.summary);
        return names;
      },
      "(name, what it is for) of every ready-made configuration.");
}

}  // namespace tuile::python
