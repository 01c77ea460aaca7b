#include <pybind11/stl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "config.hpp"
#include "feature_matrix.hpp"
#include "interruptible.hpp"
#include "tiles.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/mutex.hpp"
#include "tuile/pipeline/feature_computer.hpp"
#include "tuile/pipeline/point_groups.hpp"
#include "tuile/pipeline/tile_stream.hpp"

namespace py = pybind11;

namespace tuile::python {

namespace {

using Delivered = std::shared_ptr<pipeline::DeliveredTile>;

/// What Python calls StreamedTile. Its arrays are views of the tile, and keep it alive.
struct StreamedTile {
  Delivered tile;
  py::object points;  ///< a TilePoints
};

/// What a run has to say, until Python asks for it: its threads never call Python.
class Lines {
 public:
  void add(const std::string& line) {
    const MutexLock lock(mutex_);
    if (lines_.size() < most) lines_.push_back(line);
  }
  std::vector<std::string> take() {
    const MutexLock lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  static constexpr std::size_t most = 10'000;  ///< of a run that nobody listens to
  Mutex mutex_;
  std::vector<std::string> lines_ GUARDED_BY(mutex_);
};

/// A stream as Python holds it: threads may wait in next() while another closes it.
class Stream {
 public:
  Stream(const NativeConfig& config, std::vector<std::string> inputs, const std::string& shard,
         const std::optional<std::array<double, 4>>& bbox, std::size_t ready, int share)
      : process_(::getpid()) {
    pipeline::ProcessOptions options;
    options.config = config.value;
    if (!inputs.empty()) options.config.input = std::move(inputs);
    if (!shard.empty()) options.shard = catalog::parse_shard(shard);
    if (bbox) {
      options.bbox = Bounds{(*bbox)[0], (*bbox)[1], (*bbox)[2], (*bbox)[3]};
      if (options.bbox->empty())
        throw InvalidArgument("the bbox is empty or holds NaN; (x0, y0, x1, y1) in metres is expected, with x0 <= x1 and y0 <= y1");
    }
    if (share < 1) throw InvalidArgument("share is " + std::to_string(share) + "; 1 process or more is expected");
    if (share > 1) {
      if (!options.config.threads) options.config.threads = std::max(1, available_processors() / share);
      if (!options.config.memory.budget) options.config.memory.budget = available_memory() / 2 / static_cast<std::size_t>(share);
    }
    options.warn = [lines = lines_](const std::string& line) { lines->add(line); };
    stream_ = interruptible([&](const std::stop_token&) { return std::make_shared<pipeline::TileStream>(std::move(options), ready); });
  }
  ~Stream() {
    if (::getpid() != process_) {
      // The child of a fork: the run's threads, which the destructor waits for, are the parent's.
      static_cast<void>(new std::shared_ptr(std::move(stream_)));
      return;
    }
    const py::gil_scoped_release released;
    stream_.reset();
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// A StreamedTile, a tuple (path, kind, message), or None at the end.
  py::object next() {
    std::optional<pipeline::TileStream::Result> result;
    const std::shared_ptr<pipeline::TileStream> stream = open();  // a copy: another thread may close the stream meanwhile
    if (!interrupted_.empty()) {
      result = std::move(interrupted_.front());
      interrupted_.pop_front();
    } else {
      try {
        interruptible([&](std::stop_token stop) { result = stream->next_result(std::move(stop)); });
        // A signal that the end of the wait has overtaken: in Python's hands the tile would be lost to it.
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      } catch (const py::error_already_set&) {
        // Ctrl-C while a tile came: the next call gives it.
        if (result) interrupted_.push_back(std::move(*result));
        throw;
      }
    }
    if (!result) return py::none();
    if (const auto* failure = std::get_if<pipeline::FailedTile>(&*result))
      return py::make_tuple(failure->path, to_string(failure->kind), failure->message);
    const auto tile = std::make_shared<pipeline::DeliveredTile>(std::get<pipeline::DeliveredTile>(std::move(*result)));
    py::object points = py::cast(TilePoints{.points = tile->points, .path = tile->path, .epsg = tile->epsg, .bounds = tile->bounds});
    return py::cast(StreamedTile{tile, std::move(points)});
  }

  /// Ends the run and waits for its end.
  void close() {
    if (::getpid() != process_) return;
    std::shared_ptr<pipeline::TileStream> stream = std::move(stream_);
    std::deque<pipeline::TileStream::Result> dropped = std::exchange(interrupted_, {});
    const py::gil_scoped_release released;
    if (stream) stream->close();
    stream.reset();
    dropped.clear();
  }

  std::vector<std::string> take_warnings() { return lines_->take(); }

 private:
  std::shared_ptr<pipeline::TileStream> open() const {
    if (::getpid() != process_)
      throw Unsupported("this stream was opened before the process was forked; open it in the process that reads it");
    if (!stream_) throw Cancelled("the stream was closed");
    return stream_;
  }

  const ::pid_t process_;
  const std::shared_ptr<Lines> lines_ = std::make_shared<Lines>();
  // Guarded by the GIL.
  std::shared_ptr<pipeline::TileStream> stream_;               ///< null: closed
  std::deque<pipeline::TileStream::Result> interrupted_ = {};  ///< came while a signal was raised
};

template <class T>
py::array rows_of(const Delivered& tile, const Buffer<T>& values) {
  return view(values.data(), {static_cast<py::ssize_t>(values.size())}, tile, Access::writable);
}

/// A column of the labels; None where there are none.
template <class T>
py::object label_column(const StreamedTile& tile, Buffer<T> LabelBlock::*column) {
  if (!tile.tile->labels) return py::none();
  return rows_of(tile.tile, (*tile.tile->labels).*column);
}

py::object valid_of(const StreamedTile& tile) {
  const Buffer<std::uint8_t>& valid = tile.tile->valid;
  if (valid.empty()) return py::none();
  static_assert(sizeof(bool) == 1);
  return view(reinterpret_cast<const bool*>(valid.data()), {static_cast<py::ssize_t>(valid.size())}, tile.tile, Access::writable);
}

py::array features_of(const StreamedTile& tile) {
  const FeatureBlock& block = tile.tile->features;
  return view(block.values.data(), {static_cast<py::ssize_t>(block.points), static_cast<py::ssize_t>(block.columns())}, tile.tile,
              Access::writable);
}

FeatureMatrix matrix_of(const StreamedTile& tile) {
  FeatureMatrix matrix;
  matrix.block = std::shared_ptr<FeatureBlock>(tile.tile, &tile.tile->features);
  if (!tile.tile->valid.empty()) matrix.valid = std::shared_ptr<Buffer<std::uint8_t>>(tile.tile, &tile.tile->valid);
  return matrix;
}

py::tuple groups_of(const StreamedTile& tile, std::size_t most, double side, bool all) {
  const auto groups = std::make_shared<pipeline::PointGroups>(interruptible([&](std::stop_token stop) {
    const std::span<const std::uint8_t> use = all ? std::span<const std::uint8_t>() : tile.tile->valid.span();
    return side > 0 ? pipeline::square_groups(*tile.tile->points, use, side, std::move(stop))
                    : pipeline::compact_groups(*tile.tile->points, use, most, std::move(stop));
  }));
  return py::make_tuple(view(groups->points.data(), {static_cast<py::ssize_t>(groups->points.size())}, groups, Access::read_only),
                        view(groups->begin.data(), {static_cast<py::ssize_t>(groups->begin.size())}, groups, Access::read_only),
                        view(reinterpret_cast<const double*>(groups->origin.data()), {static_cast<py::ssize_t>(groups->size()), 3}, groups,
                             Access::read_only));
}

/// Names of the columns, what is done about missing ones, and whether there is ground truth.
py::tuple stream_facts(const NativeConfig& config) {
  std::vector<std::string> names;
  for (const features::Column& column : pipeline::feature_plan(config.value).columns) names.push_back(column.name);
  return py::make_tuple(names, config.value.features.missing == config::Missing::drop, config.value.ground_truth.source != "none");
}

}  // namespace

void bind_stream(py::module_& core) {
  py::class_<StreamedTile>(
      core, "StreamedTile",
      "A finished tile: points, features and labels, row i of each is point i of the file (of a bbox: of `points.rows`).\n"
      "Its arrays are views of what was computed, and keep it alive.")
      .def_property_readonly(
          "path", [](const StreamedTile& tile) { return tile.tile->path; }, "The file, without secrets of a URL.")
      .def_property_readonly(
          "name", [](const StreamedTile& tile) { return tile.tile->name; }, "Its output name: without folder and .laz.")
      .def_property_readonly(
          "index", [](const StreamedTile& tile) { return tile.tile->index; }, "Its place in the run, from 0.")
      .def_readonly("points", &StreamedTile::points, "TilePoints: coordinates, classes and the attributes that the features needed.")
      .def_property_readonly("features", features_of, "(N, F) float32, writable: columns as `feature_names`.")
      .def_property_readonly(
          "feature_names", [](const StreamedTile& tile) { return tile.tile->features.names; }, "F names.")
      .def_property_readonly("matrix", matrix_of, "The features as a FeatureMatrix: columns by name, DLPack.")
      .def_property_readonly("valid", valid_of, "(N,) bool: False where preprocessing left the point out; None where preprocessing is off.")
      .def_property_readonly(
          "labels", [](const StreamedTile& tile) { return label_column(tile, &LabelBlock::labels); },
          "(N,) uint8: classes from ground truth; None where none was asked for, or it could not be had.")
      .def_property_readonly(
          "label_source", [](const StreamedTile& tile) { return label_column(tile, &LabelBlock::source); },
          "(N,) uint8: 0: the file's own class, the layer's row from 1, or 254: NDVI; None as labels.")
      .def_property_readonly(
          "label_object", [](const StreamedTile& tile) { return label_column(tile, &LabelBlock::object); },
          "(N,) int32: row of `object_ids`, -1: none; None as labels.")
      .def_property_readonly(
          "object_ids", [](const StreamedTile& tile) { return tile.tile->objects.ids; }, "The ids (cleabs) of the ground truth's objects.")
      .def("__len__", [](const StreamedTile& tile) { return tile.tile->points->size(); })
      .def("__repr__",
           [](const StreamedTile& tile) {
             return "<tuile.StreamedTile '" + tile.tile->name + "', " + std::to_string(tile.tile->points->size()) + " points, " +
                    std::to_string(tile.tile->features.columns()) + " features" + (tile.tile->labels ? ", labels" : "") + ">";
           })
      .def("_groups", groups_of, py::kw_only(), py::arg("most") = 1, py::arg("side") = 0.0, py::arg("all") = false,
           "(points uint32, begin uint64, origin (G, 3) float64) of compact groups, or of squares of `side` metres.");

  py::class_<Stream>(core, "Stream", "A run whose tiles are handed over.")
      .def(py::init<const NativeConfig&, std::vector<std::string>, const std::string&, const std::optional<std::array<double, 4>>&,
                    std::size_t, int>(),
           py::arg("config"), py::kw_only(), py::arg("inputs"), py::arg("shard"), py::arg("bbox"), py::arg("ready"), py::arg("share"))
      .def("next", &Stream::next, "A StreamedTile, (path, kind, message) of one that failed, or None at the end.")
      .def("close", &Stream::close, "Ends the run and waits for its end.")
      .def("take_warnings", &Stream::take_warnings, "What the run has said since the last call.");
  core.def("stream_facts", stream_facts, py::arg("config"),
           "(names of the columns, whether missing ones are dropped, whether there is ground truth)");
}

}  // namespace tuile::python
