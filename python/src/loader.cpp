#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bindings.hpp"
#include "config.hpp"
#include "ground_truth.hpp"
#include "interruptible.hpp"
#include "tiles.hpp"
#include "tuile/core/error.hpp"
#include "tuile/pipeline/configured_loader.hpp"

namespace py = pybind11;

namespace tuile::python {

namespace {

using Box = std::optional<std::array<double, 4>>;

std::optional<Bounds> bounds_of(const Box& box) {
  if (!box) return std::nullopt;
  return Bounds{(*box)[0], (*box)[1], (*box)[2], (*box)[3]};
}

/// A ConfiguredLoader whose end does not hold the GIL: its threads may be waiting for it, to warn.
class Loader {
 public:
  Loader(const NativeConfig& config, int num_workers, std::size_t cache_size, bool keep_preloaded, py::function warn) {
    auto callback = std::shared_ptr<py::function>(new py::function(std::move(warn)), [](py::function* function) {
      const py::gil_scoped_acquire held;
      delete function;
    });
    pipeline::ConfiguredLoaderOptions options{
        .config = config.value, .num_workers = num_workers, .cache_size = cache_size, .keep_preloaded = keep_preloaded};
    options.warn = [callback](const std::string& line) {
      const py::gil_scoped_acquire held;
      try {
        (*callback)(line);
      } catch (py::error_already_set& error) {
        error.discard_as_unraisable("a warning of tuile's loader");
      }
    };
    loading_ = interruptible([&](std::stop_token) { return std::make_shared<pipeline::ConfiguredLoader>(std::move(options)); });
    if (loading_->label_plan() != nullptr) labels_ = std::make_shared<label::LabelPlan>(*loading_->label_plan());
  }
  ~Loader() {
    const py::gil_scoped_release released;
    loading_.reset();
  }
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  void preload(const std::string& path, const Box& box, bool with_truth) { loading_->preload(path, bounds_of(box), with_truth); }

  bool ready(const std::string& path, const Box& box) const { return loading_->is_ready(path, bounds_of(box)); }

  py::tuple get(const std::string& path, std::optional<double> timeout, const Box& box, bool with_truth) {
    std::optional<std::chrono::duration<double>> patience;
    if (timeout) patience.emplace(*timeout);
    const pipeline::LoadedTile loaded =
        interruptible([&](std::stop_token stop) { return loading_->get(path, patience, bounds_of(box), with_truth, std::move(stop)); });
    py::object truth = py::none();
    if (loaded.truth) truth = py::cast(TileGroundTruth{loaded.truth, labels_});
    return py::make_tuple(tile_points(loaded.tile, path, loaded.epsg, loaded.bounds), truth, loaded.truth_failure);
  }

  py::dict statistics() const {
    const pipeline::ConfiguredLoaderStatistics all = loading_->statistics();
    const prefetch::LoaderStatistics& s = all.loader;
    py::dict stats;
    stats["tiles_loaded"] = s.tiles_loaded;
    stats["loads_failed"] = s.loads_failed;
    stats["requests"] = s.requests;
    stats["hits_ready"] = s.hits_ready;
    stats["hits_in_flight"] = s.hits_in_flight;
    stats["misses"] = s.misses;
    stats["cache_hits"] = s.hits_ready + s.hits_in_flight;
    stats["cache_misses"] = s.misses;
    stats["cache_hit_rate"] = s.cache_hit_rate();
    stats["wfs_fetches"] = all.wfs_fetches;
    stats["wfs_failures"] = all.wfs_failures;
    stats["retries"] = s.retries;
    stats["evictions"] = s.evictions;
    stats["tiles_cached"] = s.tiles_cached;
    stats["bytes_cached"] = s.bytes_cached;
    stats["bytes_held"] = s.bytes_held;
    stats["io_seconds"] = s.io_seconds;
    stats["wait_seconds"] = s.wait_seconds;
    stats["avg_io_time_ms"] = s.avg_io_time_ms();
    stats["avg_wait_time_ms"] = s.avg_wait_time_ms();
    stats["io_hidden_ratio"] = s.io_hidden_ratio();
    return stats;
  }

  std::string text() const { return loading_->statistics().text(); }

  void clear_cache() {
    const py::gil_scoped_release released;
    loading_->loader().clear_cache();
  }
  void shutdown() {
    const py::gil_scoped_release released;
    loading_->shutdown();
  }

 private:
  std::shared_ptr<pipeline::ConfiguredLoader> loading_;
  std::shared_ptr<const label::LabelPlan> labels_;
};

}  // namespace

void bind_loader(py::module_& core) {
  py::class_<Loader>(core, "Loader")
      .def(py::init<const NativeConfig&, int, std::size_t, bool, py::function>(), py::arg("config"), py::arg("num_workers"),
           py::arg("cache_size"), py::arg("keep_preloaded"), py::arg("warn"))
      .def("preload", &Loader::preload, py::arg("path"), py::arg("bbox"), py::arg("with_truth"))
      .def("ready", &Loader::ready, py::arg("path"), py::arg("bbox"))
      .def("get", &Loader::get, py::arg("path"), py::arg("timeout"), py::arg("bbox"), py::arg("with_truth"),
           "(TilePoints, GroundTruth or None, why)")
      .def("statistics", &Loader::statistics)
      .def("text", &Loader::text)
      .def("clear_cache", &Loader::clear_cache)
      .def("shutdown", &Loader::shutdown);
}

}  // namespace tuile::python
