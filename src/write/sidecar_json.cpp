// The JSON form of a sidecar, written and read by one list of keys; docs/sidecar.schema.json publishes it.
#include "sidecar_json.hpp"

#include <limits>
#include <string>
#include <utility>

#include "json_object.hpp"
#include "path_text.hpp"
#include "sidecar_truth.hpp"
#include "tuile/core/error.hpp"
#include "write/sidecar.hpp"

namespace tuile::write {

namespace {

constexpr std::uint64_t format = 1;

Json to_json(const FileIdentity& file) { return Json{{"path", path_to_text(file.path)}, {"size", file.size}, {"mtime_ns", file.mtime_ns}}; }

Json to_json(const Bounds& bounds) {
  if (bounds.empty()) return nullptr;
  return Json{{"min_x", bounds.min_x}, {"min_y", bounds.min_y}, {"max_x", bounds.max_x}, {"max_y", bounds.max_y}};
}

FileIdentity identity(const JsonObject& object) { return {object.path("path"), object.count("size"), object.integer("mtime_ns")}; }

Bounds bounds(const JsonObject& parent, const char* key) {
  if (parent.json(key).is_null()) return {};
  const JsonObject object = parent.object(key, {"min_x", "min_y", "max_x", "max_y"});
  return {object.number("min_x"), object.number("min_y"), object.number("max_x"), object.number("max_y")};
}

FeatureStatistics statistics(const Json& json, const std::string& place) {
  const JsonObject object(json, place, {"name", "min", "mean", "max", "nan"});
  return {object.string("name"), object.number_or_nan("min"), object.number_or_nan("mean"), object.number_or_nan("max"),
          object.count("nan")};
}

std::optional<PreprocessReport> preprocess(const JsonObject& root) {
  if (!root.has("preprocess") || root.json("preprocess").is_null()) return std::nullopt;
  const JsonObject object = root.object("preprocess", {"exclude_classes", "statistical_outliers", "radius_outliers", "voxel"});
  return PreprocessReport{object.count("exclude_classes"), object.count("statistical_outliers"), object.count("radius_outliers"),
                          object.count("voxel")};
}

Json to_json(const std::optional<PreprocessReport>& report) {
  if (!report) return nullptr;
  return Json{{"exclude_classes", report->exclude_classes},
              {"statistical_outliers", report->statistical_outliers},
              {"radius_outliers", report->radius_outliers},
              {"voxel", report->voxel}};
}

WrittenFile output(const Json& json, const std::string& place) {
  const JsonObject object(json, place, {"name", "size", "checksum"});
  WrittenFile file{object.path("name"), object.count("size"), object.string("checksum")};
  // Names are joined to the sidecar's folder: nothing in a sidecar may point elsewhere.
  if (file.name.empty() || file.name == "." || file.name == ".." || file.name.find_first_of(std::string("/\0", 2)) != std::string::npos)
    JsonObject::fail(object.at("name"), "a file name without folders is expected");
  return file;
}

Sidecar sidecar_of(const Json& json) {
  const JsonObject root(json, "",
                        {"tuile_sidecar", "version", "config_hash", "backend", "input", "halo", "grid", "points", "features",
                         "missing_columns", "warnings", "outputs"},
                        {"preprocess", "ground_truth", "imagery"});
  if (root.count("tuile_sidecar") != format)
    JsonObject::fail("tuile_sidecar", "form " + std::to_string(format) + " is expected, another version of tuile wrote " +
                                          std::to_string(root.count("tuile_sidecar")));
  Sidecar sidecar;
  sidecar.version = root.string("version");
  sidecar.config_hash = root.string("config_hash");
  const JsonObject backend = root.object("backend", {"name", "device"});
  sidecar.backend = backend.string("name");
  sidecar.device = backend.string("device");

  const JsonObject input = root.object("input", {"path", "size", "mtime_ns", "points", "bounds", "crs"});
  sidecar.input = identity(input);
  sidecar.input_points = input.count("points");
  sidecar.input_bounds = bounds(input, "bounds");
  const JsonObject crs = input.object("crs", {"epsg", "name"});
  const std::uint64_t epsg = crs.count("epsg");
  if (epsg > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) JsonObject::fail("input.crs.epsg", "it is out of range");
  sidecar.crs_epsg = static_cast<int>(epsg);
  sidecar.crs_name = crs.string("name");

  const JsonObject halo = root.object("halo", {"width", "used", "missing"});
  sidecar.halo_width = halo.number("width");
  sidecar.halo_used = halo.array("used", [](const Json& file, const std::string& place) {
    return identity(JsonObject(file, place, {"path", "size", "mtime_ns"}));
  });
  sidecar.halo_missing = halo.array("missing", [](const Json& file, const std::string& place) {
    const JsonObject object(file, place, {"path", "size", "mtime_ns", "reason", "kind"});
    return MissingHaloTile{identity(object), object.string("reason"), object.string("kind")};
  });

  const JsonObject grid = root.object("grid", {"scale", "rounded"});
  sidecar.grid_scale = grid.number("scale");
  sidecar.rounded = grid.boolean("rounded");

  const JsonObject points = root.object("points", {"rows", "valid", "invalid", "degenerate_neighbourhoods", "truncated_neighbourhoods"});
  sidecar.rows = points.count("rows");
  sidecar.valid_points = points.count("valid");
  sidecar.invalid_points = points.count("invalid");
  sidecar.degenerate_neighbourhoods = points.count("degenerate_neighbourhoods");
  sidecar.truncated_neighbourhoods = points.count("truncated_neighbourhoods");

  sidecar.preprocess = preprocess(root);
  sidecar.features = root.array("features", statistics);
  sidecar.missing_columns = root.array("missing_columns", JsonObject::as_string);
  if (root.has("ground_truth")) sidecar.ground_truth = ground_truth_from_json(root.json("ground_truth"), "ground_truth");
  if (root.has("imagery")) sidecar.imagery = imagery_from_json(root.json("imagery"), "imagery");
  sidecar.warnings = root.array("warnings", JsonObject::as_string);
  sidecar.outputs = root.array("outputs", output);
  return sidecar;
}

}  // namespace

std::string to_json(const Sidecar& sidecar) {
  Json missing = array_of(sidecar.halo_missing, [](const MissingHaloTile& tile) {
    Json json = to_json(tile.file);
    json["reason"] = tile.reason;
    json["kind"] = tile.kind;
    return json;
  });
  Json input = to_json(sidecar.input);
  input["points"] = sidecar.input_points;
  input["bounds"] = to_json(sidecar.input_bounds);
  input["crs"] = Json{{"epsg", sidecar.crs_epsg}, {"name", sidecar.crs_name}};

  const Json json{
      {"tuile_sidecar", format},
      {"version", sidecar.version},
      {"config_hash", sidecar.config_hash},
      {"backend", Json{{"name", sidecar.backend}, {"device", sidecar.device}}},
      {"input", std::move(input)},
      {"halo", Json{{"width", sidecar.halo_width},
                    {"used", array_of(sidecar.halo_used, [](const FileIdentity& file) { return to_json(file); })},
                    {"missing", std::move(missing)}}},
      {"grid", Json{{"scale", sidecar.grid_scale}, {"rounded", sidecar.rounded}}},
      {"points", Json{{"rows", sidecar.rows},
                      {"valid", sidecar.valid_points},
                      {"invalid", sidecar.invalid_points},
                      {"degenerate_neighbourhoods", sidecar.degenerate_neighbourhoods},
                      {"truncated_neighbourhoods", sidecar.truncated_neighbourhoods}}},
      {"preprocess", to_json(sidecar.preprocess)},
      {"features",
       array_of(
           sidecar.features,
           [](const FeatureStatistics& feature) {
             // nlohmann writes NaN and infinities as null.
             return Json{{"name", feature.name}, {"min", feature.min}, {"mean", feature.mean}, {"max", feature.max}, {"nan", feature.nan}};
           })},
      {"missing_columns", sidecar.missing_columns},
      {"ground_truth", to_json(sidecar.ground_truth)},
      {"imagery", to_json(sidecar.imagery)},
      {"warnings", sidecar.warnings},
      {"outputs", array_of(sidecar.outputs,
                           [](const WrittenFile& file) {
                             return Json{{"name", path_to_text(file.name)}, {"size", file.size}, {"checksum", file.checksum}};
                           })},
  };
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Sidecar sidecar_from_json(const std::string& text) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw CorruptData(std::string("damaged sidecar: not JSON (") + error.what() + "); process the tile again");
  }
  return sidecar_of(json);
}

bool is_foreign_json(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  return !json.is_discarded() && !(json.is_object() && json.contains("tuile_sidecar"));
}

}  // namespace tuile::write
