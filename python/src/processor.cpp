#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "config.hpp"
#include "interruptible.hpp"
#include "tuile/catalog/catalog.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/config/load.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/file/atomic_file.hpp"
#include "tuile/core/file/temporaries.hpp"
#include "tuile/pipeline/lidar_processor.hpp"
#include "tuile/source/store.hpp"
#include "tuile/write/verify.hpp"

namespace py = pybind11;
namespace fs = std::filesystem;

namespace tuile::python {

namespace {

using File = std::pair<std::string, std::string>;  ///< path, output name
using Box = std::array<double, 4>;                 ///< x0, y0, x1, y1

/// Calls Python from threads of the run. The first exception ends the run; it is raised once that has ended.
class Callbacks {
 public:
  Callbacks(std::stop_source stop) : stop_(std::move(stop)) {}

  template <class... Arguments>
  void call(const py::object& function, const Arguments&... arguments) {
    const py::gil_scoped_acquire held;
    if (error_) return;
    try {
      function(arguments...);
    } catch (py::error_already_set& error) {
      error_.emplace(error);
      stop_.request_stop();
    }
  }

  /// With the GIL.
  void rethrow() {
    if (error_) throw py::error_already_set(*error_);
  }

 private:
  std::stop_source stop_;
  std::optional<py::error_already_set> error_;  ///< guarded by the GIL
};

/// What all calls say of a run; empty texts and lists leave the configuration as it is.
struct Request {
  std::vector<std::string> input;
  std::string output;
  std::vector<File> files;
  std::vector<std::string> only;
  std::string shard;
  std::optional<Box> bbox;
  bool overwrite = false;
  int threads = 0;
  std::uint64_t memory = 0;
};

std::optional<Bounds> bounds_of(const std::optional<Box>& box) {
  if (!box) return std::nullopt;
  const Bounds bounds{(*box)[0], (*box)[1], (*box)[2], (*box)[3]};
  if (bounds.empty())
    throw InvalidArgument("the bbox is empty or holds NaN; (x0, y0, x1, y1) in metres is expected, with x0 <= x1 and y0 <= y1");
  return bounds;
}

pipeline::ProcessOptions options_of(const NativeConfig& config, Request request) {
  pipeline::ProcessOptions options;
  options.config = config.value;
  if (!request.input.empty()) options.config.input = std::move(request.input);
  if (!request.output.empty()) options.config.output = std::move(request.output);
  if (request.threads > 0 && !options.config.threads) options.config.threads = request.threads;
  if (request.memory > 0 && !options.config.memory.budget) options.config.memory.budget = request.memory;
  for (auto& [path, name] : request.files) options.inputs.push_back({std::move(path), std::move(name)});
  options.only = std::move(request.only);
  if (!request.shard.empty()) options.shard = catalog::parse_shard(request.shard);
  options.bbox = bounds_of(request.bbox);
  options.overwrite = request.overwrite;
  return options;
}

std::pair<std::string, std::string> process(const NativeConfig& config, Request request, bool fail_fast, bool run_report,
                                            const py::object& progress, const py::object& warn) {
  pipeline::ProcessOptions options = options_of(config, std::move(request));
  std::stop_source ended;
  Callbacks callbacks(ended);
  options.fail_fast = fail_fast;
  options.run_report = run_report;
  options.stop = ended.get_token();
  if (!progress.is_none()) {
    options.progress = [&](const pipeline::Progress& p) {
      callbacks.call(progress, p.done, p.failed, p.skipped, p.total, p.points, p.seconds, p.waiting_for);
    };
  }
  if (!warn.is_none()) options.warn = [&](const std::string& line) { callbacks.call(warn, line); };
  std::pair<std::string, std::string> summary;
  try {
    summary = interruptible([&](std::stop_token stop) {
      const std::stop_callback passed_on(stop, [&] { ended.request_stop(); });
      const pipeline::RunSummary done = pipeline::LidarProcessor(std::move(options)).process();
      return std::pair(pipeline::to_json(done), pipeline::to_text(done));
    });
  } catch (const Error&) {
    callbacks.rethrow();
    throw;
  }
  callbacks.rethrow();
  return summary;
}

py::list failures_of(const std::vector<pipeline::FailedTile>& failed) {
  py::list list;
  for (const pipeline::FailedTile& tile : failed) list.append(py::make_tuple(tile.path, to_string(tile.kind), tile.message));
  return list;
}

py::dict plan(const NativeConfig& config, Request request) {
  pipeline::ProcessOptions options = options_of(config, std::move(request));
  const pipeline::PlanSummary plan = interruptible([&](std::stop_token stop) {
    options.stop = std::move(stop);
    return pipeline::LidarProcessor(std::move(options)).plan();
  });
  py::list tiles;
  for (const pipeline::PlanSummary::Tile& tile : plan.tiles) {
    tiles.append(py::dict(py::arg("path") = tile.path, py::arg("output") = tile.output, py::arg("points") = tile.points,
                          py::arg("neighbours") = tile.neighbours, py::arg("done") = tile.done));
  }
  return py::dict(py::arg("backend") = plan.backend, py::arg("backend_reason") = plan.backend_reason, py::arg("columns") = plan.columns,
                  py::arg("threads") = plan.threads, py::arg("workers") = plan.workers, py::arg("ahead") = plan.ahead,
                  py::arg("batch") = plan.batch, py::arg("memory_budget") = plan.memory_budget,
                  py::arg("memory_needed") = plan.memory_needed, py::arg("tiles") = tiles, py::arg("failed") = failures_of(plan.failed),
                  py::arg("notes") = plan.notes);
}

py::tuple jobs(const NativeConfig& config, Request request) {
  pipeline::ProcessOptions options = options_of(config, std::move(request));
  const pipeline::JobList list = interruptible([&](std::stop_token stop) {
    options.stop = std::move(stop);
    return pipeline::LidarProcessor(std::move(options)).jobs();
  });
  // A file is a neighbour of eight others: half a million jobs shall not hold nine texts each.
  std::unordered_map<std::string, py::tuple> files;
  const auto file_of = [&](const catalog::InputFile& file) {
    const auto [at, is_new] = files.try_emplace(file.path);
    if (is_new) at->second = py::make_tuple(file.path, file.name);
    return at->second;
  };
  py::list jobs;
  for (const pipeline::JobList::Job& job : list.jobs) {
    py::list neighbours;
    for (const catalog::InputFile& file : job.neighbours) neighbours.append(file_of(file));
    const py::tuple tile = file_of(job.tile);
    jobs.append(py::make_tuple(tile[0], tile[1], std::move(neighbours), job.points,
                               py::make_tuple(job.bounds.min_x, job.bounds.min_y, job.bounds.max_x, job.bounds.max_y), job.done,
                               source::public_location(job.tile.path)));
  }
  return py::make_tuple(std::move(jobs), failures_of(list.failed), list.notes);
}

std::string whole(const std::string& path) { return fs::absolute(path).lexically_normal().string(); }

/// The configuration as processes with other working folders can use it, side by side: whole paths, no trace.
NativeConfig for_cluster(const NativeConfig& from) {
  NativeConfig to = from;
  config::Config& config = to.value;
  config.input.clear();
  config.output = whole(config.output);
  config.trace.reset();
  if (config.ground_truth.source != "none" && config.ground_truth.source != "wfs") {
    config.ground_truth.source = whole(config.ground_truth.source);
  }
  std::optional<std::string>& cache = config.ground_truth.cache.disk;
  if (cache && !cache->starts_with('~')) cache = whole(*cache);
  for (std::string& file : config.imagery.files) file = whole(file);
  return to;
}

py::dict verify(const std::string& folder) {
  const write::VerifyReport report = interruptible([&](const std::stop_token&) { return write::verify_directory(folder); });
  py::list tiles, leftovers, without_sidecar;
  for (const write::TileVerification& tile : report.tiles) {
    tiles.append(py::dict(py::arg("sidecar") = tile.sidecar.string(), py::arg("problems") = tile.problems));
  }
  for (const fs::path& path : report.leftovers) leftovers.append(path.string());
  for (const fs::path& path : report.without_sidecar) without_sidecar.append(path.string());
  return py::dict(py::arg("ok") = report.ok(), py::arg("tiles") = tiles, py::arg("leftovers") = leftovers,
                  py::arg("without_sidecar") = without_sidecar, py::arg("files_checked") = report.files_checked,
                  py::arg("bytes_checked") = report.bytes_checked);
}

}  // namespace

void bind_processor(py::module_& core) {
  py::class_<Request>(core, "RunRequest", "What a run does besides its configuration; empty values leave that as it is.")
      .def(py::init([](std::vector<std::string> input, std::string output, std::vector<File> files, std::vector<std::string> only,
                       std::string shard, std::optional<Box> bbox, bool overwrite, int threads, std::uint64_t memory) {
             return Request{std::move(input), std::move(output), std::move(files),
                            std::move(only),  std::move(shard),  bbox,
                            overwrite,        threads,           memory};
           }),
           py::kw_only(), py::arg("input") = std::vector<std::string>{}, py::arg("output") = "", py::arg("files") = std::vector<File>{},
           py::arg("only") = std::vector<std::string>{}, py::arg("shard") = "", py::arg("bbox") = py::none(), py::arg("overwrite") = false,
           py::arg("threads") = 0, py::arg("memory") = 0,
           "files: (path, output name) each, instead of inputs to look for. only: names of those to do. threads, memory: what 'auto' is.");
  core.def("process", process, py::arg("config"), py::arg("request"), py::arg("fail_fast") = false, py::arg("run_report") = true,
           py::arg("progress") = py::none(), py::arg("warn") = py::none(), "The main job. Returns the summary as JSON and for people.");
  core.def("plan", plan, py::arg("config"), py::arg("request"), "What process would do.");
  core.def("jobs", jobs, py::arg("config"), py::arg("request"),
           "([(path, name, [(path, name) of neighbours], points, bounds, done, public path)], [(path, kind, message)], [notes])");
  core.def("for_cluster", for_cluster, py::arg("config"), "The configuration with whole paths, without input and trace.");
  core.def(
      "output_of", [](const NativeConfig& config) { return config.value.output; }, py::arg("config"), "The output folder.");
  core.def(
      "input_of", [](const NativeConfig& config) { return config.value.input; }, py::arg("config"), "The inputs.");
  core.def(
      "backend_of", [](const NativeConfig& config) { return config.value.backend; }, py::arg("config"), "auto, cpu or cuda.");
  core.def(
      "remove_stale_temporaries", [](const std::string& folder) { return remove_stale_temporaries(folder).size(); }, py::arg("folder"),
      py::call_guard<py::gil_scoped_release>(), "Removes what dead processes of this host left half written.");
  core.def(
      "write_text", [](const std::string& path, const std::string& text) { write_text_atomically(path, text); }, py::arg("path"),
      py::arg("text"), py::call_guard<py::gil_scoped_release>(), "A small file that appears whole.");
  core.def("verify", verify, py::arg("folder"), "Checks outputs against their sidecars.");
  core.def(
      "availability",
      [](const std::string& name) {
        const compute::Availability availability = compute::availability(name);
        return std::pair(availability.available, availability.reason);
      },
      py::arg("backend"), "Whether a backend can run here, and if not, why.");
}

}  // namespace tuile::python
