#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "coordinates.hpp"
#include "feature_matrix.hpp"
#include "interruptible.hpp"
#include "tiles.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/nearest.hpp"
#include "tuile/features/plan.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/las/new_file.hpp"
#include "tuile/pipeline/feature_computer.hpp"
#include "tuile/prefetch/tile_reader.hpp"
#include "tuile/source/store.hpp"
#include "tuile/truth/crs_text.hpp"
#include "tuile/write/laz_sink.hpp"

namespace py = pybind11;
namespace fs = std::filesystem;

namespace tuile::python {

namespace {

constexpr std::uint64_t rows_at_once = 1U << 20;  // written between two looks at the stop token

/// Threads of what reads and writes files outside loaders and processors; none starts before the first use.
Executor& file_executor() {
  static Executor executor;
  return executor;
}

FieldSet fields_of(const std::optional<std::vector<std::string>>& names) {
  if (!names) return {0xF};
  using Named = std::pair<const char*, FieldSet>;
  const FieldSet none, intensity = none.with(Field::intensity), returns = none.with(Field::returns), rgb = none.with(Field::rgb);
  const std::vector<Named> known{{"intensity", intensity},
                                 {"returns", returns},
                                 {"return_number", returns},
                                 {"number_of_returns", returns},
                                 {"rgb", rgb},
                                 {"red", rgb},
                                 {"green", rgb},
                                 {"blue", rgb},
                                 {"nir", none.with(Field::nir)},
                                 {"classification", none},
                                 {"xyz", none}};
  FieldSet fields;
  for (const std::string& name : *names) {
    const auto at = std::find_if(known.begin(), known.end(), [&](const Named& entry) { return entry.first == name; });
    if (at == known.end()) {
      std::vector<std::string> candidates;
      std::string all;
      for (const Named& entry : known) {
        candidates.emplace_back(entry.first);
        all += (all.empty() ? "" : ", ") + candidates.back();
      }
      const std::string like = nearest(name, candidates);
      throw InvalidArgument("'" + name + "' is no attribute of points" + (like.empty() ? "" : "; did you mean '" + like + "'?") + " (" +
                            all + "; coordinates and classes are always read)");
    }
    fields.bits |= at->second.bits;
  }
  return fields;
}

/// Each call has a store of its own: one store holds a server's file to the version that it has seen first.
las::FileInfo info_of(source::Store& store, const std::string& path, std::stop_token stop) {
  try {
    return las::read_info(*store.open(path, std::move(stop)));
  } catch (const Error& error) {
    rethrow_at(error, source::public_location(path));
  }
}

std::vector<std::string> field_names(FieldSet fields) {
  std::vector<std::string> names;
  if (fields.has(Field::intensity)) names.emplace_back("intensity");
  if (fields.has(Field::returns)) names.insert(names.end(), {"return_number", "number_of_returns"});
  if (fields.has(Field::rgb)) names.insert(names.end(), {"red", "green", "blue"});
  if (fields.has(Field::nir)) names.emplace_back("nir");
  return names;
}

py::dict info_dict(const std::string& path) {
  source::Store store;
  const las::FileInfo info = interruptible([&](std::stop_token stop) { return info_of(store, path, std::move(stop)); });
  const las::Header& header = info.header;
  const Bounds bounds = info.bounds();
  py::dict out;
  out["points"] = header.point_count;
  out["bounds"] =
      bounds.empty() ? py::object(py::none()) : py::object(py::make_tuple(bounds.min_x, bounds.min_y, bounds.max_x, bounds.max_y));
  out["z_range"] = bounds.empty()
                       ? py::object(py::none())
                       : py::object(py::make_tuple(header.min[2] * info.crs.vertical_unit, header.max[2] * info.crs.vertical_unit));
  out["version"] = std::to_string(header.version_major) + "." + std::to_string(header.version_minor);
  out["point_format"] = static_cast<int>(header.point_format);
  out["compressed"] = header.compressed;
  out["copc"] = info.copc.has_value();
  out["scale"] = header.scale;
  out["offset"] = header.offset;
  out["grid_scale"] = info.grid_scale();
  out["epsg"] = info.crs.epsg == 0 ? py::object(py::none()) : py::object(py::int_(info.crs.epsg));
  out["crs"] = info.crs.name;
  out["wkt"] = info.crs.wkt;
  out["fields"] = field_names(info.fields());
  std::vector<std::string> dimensions;
  for (const las::ExtraDimension& dimension : info.extra_dimensions) dimensions.push_back(dimension.name);
  out["extra_dimensions"] = dimensions;
  std::vector<std::uint64_t> returns(header.points_by_return.begin(), header.points_by_return.end());
  out["points_by_return"] = returns;
  out["software"] = header.generating_software;
  out["warnings"] = info.warnings;
  return out;
}

/// What stands beside the points.
struct Extras {
  std::shared_ptr<const FeatureBlock> features;  ///< null: none
  PointBlock labels;                             ///< its classification; empty: none
  PointBlock classes;                            ///< likewise, in the place of the points' own
};

py::array column_array(const std::string& name, py::handle values, std::size_t rows) {
  const py::array array = py::array::ensure(values);
  if (!array) {
    PyErr_Clear();
    throw py::type_error("feature '" + name + "' is no array; (N,) numbers are expected");
  }
  if (std::string("fiub").find(array.dtype().kind()) == std::string::npos) {
    throw py::type_error("feature '" + name + "' has dtype " + std::string(py::str(array.dtype())) + "; numbers are expected");
  }
  if (array.ndim() != 1 || static_cast<std::size_t>(array.shape(0)) != rows) {
    throw InvalidArgument("feature '" + name + "' has shape " + std::string(py::str(array.attr("shape"))) + "; (" + std::to_string(rows) +
                          ",) is expected, one value per point");
  }
  return array.attr("astype")("float32", py::arg("copy") = false);
}

std::shared_ptr<const FeatureBlock> read_features(py::handle features, std::size_t rows) {
  if (features.is_none()) return nullptr;
  if (py::isinstance<FeatureMatrix>(features)) {
    const auto& matrix = features.cast<const FeatureMatrix&>();
    if (matrix.block->points == rows) return matrix.block;
    throw InvalidArgument("the features are of " + std::to_string(matrix.block->points) + " points, and there are " + std::to_string(rows));
  }
  if (!py::isinstance<py::dict>(features)) {
    throw py::type_error("features of type " + std::string(py::str(py::type::handle_of(features).attr("__name__"))) +
                         " were given; a dict from name to (N,) numbers, or a FeatureMatrix, is expected");
  }
  auto block = std::make_shared<FeatureBlock>();
  std::vector<py::array> columns;
  for (const auto& [key, values] : features.cast<py::dict>()) {
    if (!py::isinstance<py::str>(key)) throw py::type_error("a feature's name is " + std::string(py::repr(key)) + "; text is expected");
    block->names.push_back(key.cast<std::string>());
    columns.push_back(column_array(block->names.back(), values, rows));
  }
  block->points = rows;
  block->values = Buffer<float>(rows * columns.size());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const auto* at = static_cast<const std::byte*>(columns[c].data());
    const py::ssize_t stride = columns[c].strides(0);
    for (std::size_t i = 0; i < rows; ++i, at += stride) std::memcpy(&block->values[i * columns.size() + c], at, sizeof(float));
  }
  return block;
}

PointBlock read_codes(const py::object& values, const char* name, std::size_t rows) {
  try {
    return read_attributes({.classification = values, .intensity = py::none(), .rgb = py::none(), .nir = py::none()}, rows);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(std::string(name) + ": " + error.what());
  }
}

write::TileLayout layout_of(const PointBlock& points, const Extras& extras) {
  write::TileLayout layout;
  layout.points = points.size();
  layout.grid = points.grid;
  if (extras.features) layout.feature_names = extras.features->names;
  layout.labels = !extras.labels.classification.empty();
  return layout;
}

/// Those that are no LAS dimensions already.
std::vector<write::LazColumn> columns_of(const Extras& extras) {
  std::vector<write::LazColumn> columns;
  if (!extras.features) return columns;
  for (std::size_t c = 0; c < extras.features->names.size(); ++c) {
    const std::string& name = extras.features->names[c];
    std::optional<features::Feature> feature = features::find(name);
    if (!feature) feature = features::find(std::string_view(name).substr(0, name.rfind('_')));  // of a further scale: planarity_k50
    if (feature && features::info(*feature).las_dimension) continue;
    columns.push_back({c, name, feature ? std::string(features::info(*feature).description) : ""});
  }
  return columns;
}

void write_rows(const std::string& path, const PointBlock& points, const Extras& extras, write::LazSinkOptions options,
                const std::stop_token& stop) {
  options.columns = columns_of(extras);
  options.classes = extras.classes.classification.span();
  options.label_provenance = false;
  const write::TileLayout layout = layout_of(points, extras);
  const auto sink = write::make_laz_sink(path, layout, std::move(options), &file_executor());
  const std::vector<std::uint8_t> no_source(layout.labels ? std::min(layout.points, rows_at_once) : 0);
  const std::vector<std::int32_t> no_object(no_source.size(), -1);
  const std::size_t columns = layout.feature_names.size();
  for (std::uint64_t first = 0; first < layout.points; first += rows_at_once) {
    if (stop.stop_requested()) throw Cancelled("stopped before " + path + " was complete; nothing was written");
    const std::uint64_t count = std::min(rows_at_once, layout.points - first);
    write::RowBlock rows;
    rows.first_row = first;
    rows.units = points.units.span().subspan(first, count);
    rows.classification = points.classification.span().subspan(first, count);
    if (columns > 0) rows.features = extras.features->values.span().subspan(first * columns, count * columns);
    if (layout.labels) {
      rows.labels = extras.labels.classification.span().subspan(first, count);
      rows.label_source = std::span(no_source).first(count);
      rows.label_object = std::span(no_object).first(count);
    }
    sink->write(rows);
  }
  sink->finish();
}

/// A file of points that come from none.
void write_new(const std::string& path, const py::object& points, const py::object& features, const py::object& labels,
               const Attributes& attributes, double scale, const std::string& wkt) {
  const Coordinates given = coordinates(points);
  const std::size_t rows = given.view.rows;
  PointBlock more = read_attributes(attributes, rows);
  const Extras extras{read_features(features, rows), read_codes(labels, "labels", rows), {}};
  interruptible([&](std::stop_token stop) {
    const PointBlock block = with_attributes(pipeline::grid_points(given.view, scale, file_executor(), stop), std::move(more));
    write::LazSinkOptions options;
    options.original = las::layout_for(block, wkt, "tuile");
    const las::FileInfo layout = options.original;
    options.make_records = [&block, &layout, next = std::size_t{0}](std::span<std::byte> records) mutable {
      las::pack_records(block, layout, next, records, &file_executor());
      next += records.size() / layout.header.record_length;
    };
    write_rows(path, block, extras, std::move(options), stop);
  });
}

TilePoints read_tile(const std::string& path, const std::optional<std::vector<std::string>>& fields,
                     const std::optional<std::array<double, 4>>& box) {
  const FieldSet wanted = fields_of(fields);
  std::optional<Bounds> bbox;
  if (box) {
    bbox = Bounds{(*box)[0], (*box)[1], (*box)[2], (*box)[3]};
    if (bbox->empty())
      throw InvalidArgument("the bbox is empty or holds NaN; (x0, y0, x1, y1) in metres is expected, x0 <= x1 and y0 <= y1");
  }
  return interruptible([&](std::stop_token stop) {
    source::Store store;
    const las::FileInfo info = info_of(store, path, stop);
    if (info.crs.geographic) {
      throw Unsupported(source::public_location(path) +
                        ": its coordinates are in degrees; reproject it to a CRS in metres first, e.g. with PDAL");
    }
    prefetch::TileReader reader({.fields = wanted, .strip_budget = 0, .store = &store}, file_executor());
    const auto tile = std::make_shared<const prefetch::Tile>(reader.load({path, bbox}, stop));
    return tile_points(tile, path, info.crs.epsg, bbox ? info.bounds().intersection(*bbox) : info.bounds());
  });
}

void refuse_overwriting(const std::string& path, const std::string& input) {
  std::error_code ignored;
  if (!source::is_url(input) && fs::equivalent(path, input, ignored)) {
    throw InvalidArgument(path + " is the file that the tile comes from; write to another one");
  }
}

/// The tile's file again.
void write_tile(const std::string& path, const TilePoints& tile, const py::object& features, const py::object& labels,
                const py::object& classification) {
  const PointBlock& points = *tile.points;
  if (tile.path.empty()) throw InvalidArgument("the tile comes from no file; write its points (tile.points) as an array");
  refuse_overwriting(path, tile.path);
  const Extras extras{read_features(features, points.size()), read_codes(labels, "labels", points.size()),
                      read_codes(classification, "classification", points.size())};
  interruptible([&](std::stop_token stop) {
    source::Store store;
    write::LazSinkOptions options;
    options.original = info_of(store, tile.path, stop);
    options.read_original = [&] { return source::read_all(*store.open(tile.path, stop)); };
    if (!points.rows.empty()) options.rows.emplace(points.rows.begin(), points.rows.end());
    // Colours that the file does not have come from images; so do those of which it is known where they are known.
    const FieldSet has = options.original.fields();
    const bool from_images = !points.colour_known.empty();
    if (points.has_rgb() && (from_images || !has.has(Field::rgb)))
      options.colours = {points.red.span(), points.green.span(), points.blue.span(), {}};
    if (points.has_nir() && (from_images || !has.has(Field::nir))) options.colours.nir = points.nir.span();
    write_rows(path, points, extras, std::move(options), stop);
  });
}

}  // namespace

void bind_files(py::module_& core) {
  core.def("read_tile", &read_tile, py::arg("path"), py::arg("fields") = py::none(), py::arg("bbox") = py::none());
  core.def("write_tile", &write_tile, py::arg("path"), py::arg("tile"), py::kw_only(), py::arg("features") = py::none(),
           py::arg("labels") = py::none(), py::arg("classification") = py::none());
  core.def("file_info", &info_dict, py::arg("path"));
  core.def(
      "write_points",
      [](const std::string& path, const py::object& points, const py::object& features, const py::object& labels, py::object classification,
         py::object intensity, py::object rgb, py::object nir, double scale, const std::string& wkt) {
        write_new(path, points, features, labels, {std::move(classification), std::move(intensity), std::move(rgb), std::move(nir)}, scale,
                  wkt);
      },
      py::arg("path"), py::arg("points"), py::kw_only(), py::arg("features") = py::none(), py::arg("labels") = py::none(),
      py::arg("classification") = py::none(), py::arg("intensity") = py::none(), py::arg("rgb") = py::none(), py::arg("nir") = py::none(),
      py::arg("scale") = 0.01, py::arg("wkt") = "");
  core.def("wkt_of_epsg", &truth::wkt_of_epsg, py::arg("epsg"));
}

}  // namespace tuile::python
