#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "config.hpp"
#include "coordinates.hpp"
#include "feature_matrix.hpp"
#include "interruptible.hpp"
#include "tiles.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/nearest.hpp"

namespace py = pybind11;

namespace tuile::python {

namespace {

using features::Feature;

/// A neighbourhood as Python gives it.
struct Scale {
  std::optional<int> k;
  std::optional<double> radius;
};

/// What a call wants other than its configuration says.
struct Wanted {
  std::optional<std::vector<std::string>> names;  ///< columns, or one set's name
  std::optional<int> k, max_neighbors;
  std::optional<double> radius;
  std::optional<std::vector<Scale>> scales;
};

/// What is known of the points beside their coordinates.
struct Known {
  FieldSet fields;
  bool classes = false;
};

/// One tile of a call: an array with what goes with it, or a TilePoints with its neighbours.
struct Item {
  std::optional<Coordinates> coordinates;
  PointBlock attributes;                     ///< of coordinates
  std::shared_ptr<const PointBlock> points;  ///< of a TilePoints
  Bounds bounds;                             ///< likewise
  std::vector<std::shared_ptr<const PointBlock>> halo;
};

bool is_known(Feature feature, const Known& known) {
  const features::FeaturePlan plan = features::make_plan({std::string(features::info(feature).name)}, {features::Neighbourhood{}});
  if ((plan.fields().bits & ~known.fields.bits) != 0) return false;
  return known.classes || !(plan.needs_ground() || feature == Feature::is_ground);
}

Known known_of(const PointBlock& attributes) {
  Known known;
  known.classes = !attributes.classification.empty();
  if (!attributes.intensity.empty()) known.fields = known.fields.with(Field::intensity);
  if (!attributes.red.empty()) known.fields = known.fields.with(Field::rgb);
  if (!attributes.nir.empty()) known.fields = known.fields.with(Field::nir);
  return known;
}

/// Throws InvalidArgument where a name is neither a feature's nor a set's.
void refuse_unknown(const std::string& name) {
  const std::vector<std::string>& sets = features::set_names();
  if (std::find(sets.begin(), sets.end(), name) != sets.end()) return;
  std::vector<std::string> known = sets;
  for (std::size_t i = 0; i < features::feature_count; ++i) known.emplace_back(features::info(static_cast<Feature>(i)).name);
  const std::string like = nearest(name, known);
  throw InvalidArgument("'" + name + "' is neither a feature nor a set of them" + (like.empty() ? "" : "; did you mean '" + like + "'?") +
                        " (sets: minimal, lod2, asprs, lod3, full; tuile.list_features() has the features)");
}

/// Names of a set, or as they are; of a set without those that the points say nothing of. known: of arrays; null: tiles
std::vector<std::string> resolve(const std::vector<std::string>& names, const Known* known) {
  if (names.empty()) throw InvalidArgument("no names of features were given; at least one, or a set, is expected");
  const bool is_set = names.size() == 1 && !features::find(names.front());
  if (is_set) refuse_unknown(names.front());
  std::vector<std::string> wanted = is_set ? features::set_columns(names.front()) : names;
  if (known == nullptr) return wanted;
  const auto lacks = [&](const std::string& name) {
    const std::optional<Feature> feature = features::find(name);
    return feature && !is_known(*feature, *known);
  };
  if (is_set) {
    std::erase_if(wanted, lacks);
  } else if (const auto at = std::find_if(wanted.begin(), wanted.end(), lacks); at != wanted.end()) {
    throw InvalidArgument("'" + *at + "' is not in coordinates alone; give what it is made of with the points (classification=, " +
                          "intensity=, rgb=, nir=), or a TilePoints, or leave it out");
  }
  return wanted;
}

/// The columns of a call. Throws InvalidArgument.
features::FeaturePlan plan_of(const config::Config& base, const Wanted& wanted, const Known* known) {
  config::Config config = base;
  config::Features& f = config.features;
  // k of the call beats a radius of the configuration.
  if (wanted.k && !wanted.radius) f.radius.reset();
  if (wanted.k) f.k = *wanted.k;
  if (wanted.radius) f.radius = wanted.radius;
  if (wanted.max_neighbors) f.max_neighbors = *wanted.max_neighbors;
  if (wanted.scales) {
    f.scales.clear();
    for (const Scale& scale : *wanted.scales) f.scales.push_back({scale.k, scale.radius});
  }
  const std::vector<std::string> chosen = f.names.empty() ? std::vector<std::string>{f.set} : f.names;
  try {
    f.names = resolve(wanted.names.value_or(chosen), known);
    return pipeline::feature_plan(config);
  } catch (const ConfigError& error) {
    throw InvalidArgument(error.what());
  }
}

/// Leaves out the columns that the tile lacks the input of, in place.
void drop_missing(FeatureMatrix& matrix) {
  const auto& lacking = matrix.missing_columns;
  matrix.block->keep_columns(
      [&](std::size_t c) { return std::find(lacking.begin(), lacking.end(), matrix.block->names[c]) == lacking.end(); });
}

FeatureMatrix matrix_of(compute::TileOutput output, config::Missing missing) {
  FeatureMatrix matrix;
  matrix.block = std::make_shared<FeatureBlock>(std::move(output.features));
  if (!output.valid.empty()) matrix.valid = std::make_shared<Buffer<std::uint8_t>>(std::move(output.valid));
  matrix.missing_columns = std::move(output.missing_columns);
  matrix.degenerate_neighbourhoods = output.degenerate_neighbourhoods;
  matrix.truncated_neighbourhoods = output.truncated_neighbourhoods;
  if (missing == config::Missing::error && !matrix.missing_columns.empty()) {
    std::string names;
    for (const std::string& name : matrix.missing_columns) names += (names.empty() ? "" : ", ") + name;
    throw InvalidArgument("the tile lacks the input of " + names +
                          " and features.missing is 'error'; use nan or drop, or leave the columns out");
  }
  if (missing == config::Missing::drop) drop_missing(matrix);
  return matrix;
}

void check_size(const Item& item, const features::FeaturePlan& plan, const Wanted& wanted) {
  if (!item.coordinates) return;
  std::size_t rows = item.coordinates->view.rows;
  if (rows == 0) throw InvalidArgument("an array without points was given; (N, 3) with N of at least 1 is expected");
  if (!plan.needs_neighbours()) return;
  for (const std::shared_ptr<const PointBlock>& neighbour : item.halo) rows += neighbour->size();
  for (const features::Neighbourhood& scale : plan.scales) {
    if (scale.radius > 0 || static_cast<std::size_t>(scale.k) <= rows) continue;
    throw InvalidArgument("k is " + std::to_string(scale.k) + (wanted.k ? "" : " (the default)") + " and there are only " +
                          std::to_string(rows) + " points; at most as many neighbours as points are expected, the point itself included");
  }
}

py::dict device_dict(const compute::DeviceReport& device) {
  py::dict out;
  out["id"] = device.id;
  out["name"] = device.name;
  out["tiles"] = device.tiles;
  out["busy_seconds"] = device.busy_seconds;
  out["uploaded"] = device.uploaded;
  out["downloaded"] = device.downloaded;
  out["allocations"] = device.allocations;
  out["reused"] = device.reused;
  out["memory_peak"] = device.memory_peak;
  out["lost"] = device.lost;
  return out;
}

/// pipeline::FeatureComputer for Python's objects.
class Computer {
 public:
  Computer(const std::string& backend, int threads) : computer_(backend, threads) {}

  std::vector<FeatureMatrix> compute(std::vector<Item> items, const NativeConfig& native, const Wanted& wanted,
                                     std::optional<double> halo_width, double scale) {
    const config::Config& config = native.value;
    const auto array = std::find_if(items.begin(), items.end(), [](const Item& item) { return item.coordinates.has_value(); });
    const std::optional<Known> known = array == items.end() ? std::nullopt : std::optional(known_of(array->attributes));
    const features::FeaturePlan plan = plan_of(config, wanted, known ? &*known : nullptr);
    const compute::Preprocess preprocess = pipeline::preprocess_of(config);
    for (const Item& item : items) check_size(item, plan, wanted);
    if (plan.columns.empty()) throw InvalidArgument("no column of the set can be computed of these points; give names");

    std::vector<PointBlock> blocks(items.size());
    std::vector<compute::TileOutput> outputs = interruptible([&](std::stop_token stop) {
      std::vector<pipeline::FeatureComputer::Input> inputs;
      for (std::size_t i = 0; i < items.size(); ++i) {
        Item& item = items[i];
        pipeline::FeatureComputer::Input input;
        input.halo_width = halo_width.value_or(config.halo);
        input.halo = std::move(item.halo);
        if (item.coordinates) {
          PointBlock points = pipeline::grid_points(item.coordinates->view, scale, computer_.executor(), stop, computer_.memory());
          blocks[i] = with_attributes(std::move(points), std::move(item.attributes));
          input.points = &blocks[i];
        } else {
          input.points = item.points.get();
          input.bounds = item.bounds;
        }
        inputs.push_back(std::move(input));
      }
      return computer_.compute(inputs, plan, preprocess, stop);
    });
    std::vector<FeatureMatrix> matrices;
    for (compute::TileOutput& output : outputs) matrices.push_back(matrix_of(std::move(output), config.features.missing));
    return matrices;
  }

  py::dict report() {
    const compute::BackendReport report = computer_.backend().report();
    const pipeline::FeatureComputer::Totals totals = computer_.totals();
    py::list devices;
    for (const compute::DeviceReport& device : report.devices) devices.append(device_dict(device));
    py::dict out;
    out["backend"] = backend();
    out["description"] = description();
    out["reason"] = computer_.reason();
    out["threads"] = computer_.executor().threads();
    out["tiles"] = totals.tiles;
    out["points"] = totals.points;
    out["compute_seconds"] = totals.seconds;
    out["batches_halved"] = report.batches_halved;
    out["tiles_in_blocks"] = report.tiles_in_blocks;
    out["tiles_moved"] = report.tiles_moved;
    out["devices"] = devices;
    return out;
  }

  std::string backend() const { return computer_.backend().name(); }
  std::string description() const { return computer_.backend().description(); }

 private:
  pipeline::FeatureComputer computer_;
};

void refuse_attributes(const Attributes& attributes) {
  const bool any =
      !(attributes.classification.is_none() && attributes.intensity.is_none() && attributes.rgb.is_none() && attributes.nir.is_none());
  if (any) throw InvalidArgument("classification, intensity, rgb and nir go with an array of coordinates; a TilePoints has its own");
}

/// A tile's neighbours in the order of the command line, which decides where they overlap: its own file first (of a tile that was loaded in
/// part), then by path.
std::vector<std::shared_ptr<const PointBlock>> ordered_halo(const TilePoints* tile, std::vector<const TilePoints*> neighbours) {
  const std::string own = tile == nullptr ? std::string() : tile->path;
  const auto key = [&](const TilePoints* neighbour) {
    return std::pair(own.empty() || neighbour->path != own, std::string_view(neighbour->path));
  };
  std::stable_sort(neighbours.begin(), neighbours.end(), [&](const TilePoints* a, const TilePoints* b) { return key(a) < key(b); });
  std::vector<std::shared_ptr<const PointBlock>> halo;
  for (const TilePoints* neighbour : neighbours) {
    if (tile == nullptr || neighbour->points != tile->points) halo.push_back(neighbour->points);
  }
  return halo;
}

std::vector<Item> items_of(const py::list& tiles, const Attributes& attributes, const py::list& halo) {
  std::vector<const TilePoints*> neighbours;
  for (const py::handle& neighbour : halo) neighbours.push_back(&neighbour.cast<const TilePoints&>());
  std::vector<Item> items;
  for (const py::handle& object : tiles) {
    Item item;
    const TilePoints* const tile = py::isinstance<TilePoints>(object) ? &object.cast<const TilePoints&>() : nullptr;
    if (tile != nullptr) {
      refuse_attributes(attributes);
      item.points = tile->points;
      item.bounds = tile->bounds;
    } else {
      item.coordinates = coordinates(object);
      item.attributes = read_attributes(attributes, item.coordinates->view.rows);
    }
    item.halo = ordered_halo(tile, neighbours);
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace

void bind_features(py::module_& core) {
  bind_feature_matrix(core);
  core.def("list_features", [] {
    std::vector<std::array<std::string, 7>> rows;
    for (std::size_t i = 0; i < features::feature_count; ++i) {
      const features::FeatureInfo& row = features::info(static_cast<Feature>(i));
      rows.push_back({std::string(row.name), std::string(row.unit), std::string(row.description), std::string(row.range),
                      std::string(row.undefined), std::string(row.formula), std::string(row.source)});
    }
    return rows;
  });
  core.def("set_columns", &features::set_columns, py::arg("name"));
  py::class_<Computer>(core, "FeatureComputer")
      .def(py::init<const std::string&, int>(), py::arg("backend") = "auto", py::arg("threads") = 0)
      .def(
          "compute",
          [](Computer& computer, const py::list& tiles, const NativeConfig& config, std::optional<std::vector<std::string>> names,
             std::optional<int> k, std::optional<double> radius, std::optional<int> max_neighbors,
             const std::optional<std::vector<std::pair<std::optional<int>, std::optional<double>>>>& scales, const py::list& halo,
             std::optional<double> halo_width, double scale, py::object classification, py::object intensity, py::object rgb,
             py::object nir) {
            Wanted wanted{std::move(names), k, max_neighbors, radius, std::nullopt};
            if (scales) {
              wanted.scales.emplace();
              for (const auto& [neighbours, metres] : *scales) wanted.scales->push_back({neighbours, metres});
            }
            const Attributes attributes{std::move(classification), std::move(intensity), std::move(rgb), std::move(nir)};
            return computer.compute(items_of(tiles, attributes, halo), config, wanted, halo_width, scale);
          },
          py::arg("tiles"), py::arg("config"), py::kw_only(), py::arg("names") = py::none(), py::arg("k") = py::none(),
          py::arg("radius") = py::none(), py::arg("max_neighbors") = py::none(), py::arg("scales") = py::none(),
          py::arg("halo") = py::list(), py::arg("halo_width") = py::none(), py::arg("scale") = 0.0, py::arg("classification") = py::none(),
          py::arg("intensity") = py::none(), py::arg("rgb") = py::none(), py::arg("nir") = py::none(),
          "tiles: TilePoints and arrays; the attributes go with the arrays. names: columns, or one set. One FeatureMatrix each.")
      .def_property_readonly("backend", &Computer::backend)
      .def_property_readonly("description", &Computer::description)
      .def("report", &Computer::report);
}

}  // namespace tuile::python
