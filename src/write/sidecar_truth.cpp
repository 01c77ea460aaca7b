#include "sidecar_truth.hpp"

#include <algorithm>
#include <array>

namespace tuile::write {

namespace {

/// Whether something went wrong, so that there is a reason to tell.
bool has_reason(Outcome outcome) { return !is_sound(outcome) && outcome != Outcome::not_requested; }

Outcome outcome_of(const JsonObject& object, const char* key) {
  constexpr std::array outcomes{Outcome::data, Outcome::confirmed_empty, Outcome::truncated, Outcome::failed, Outcome::not_requested};
  const std::string text = object.string(key);
  const auto found = std::find_if(outcomes.begin(), outcomes.end(), [&](Outcome outcome) { return text == to_string(outcome); });
  if (found == outcomes.end())
    JsonObject::fail(object.at(key), "\"data\", \"confirmed empty\", \"truncated\", \"failed\" or \"not requested\" is expected");
  return *found;
}

/// A class as the key of an object: its decimal number and nothing else.
int class_of(const std::string& key, const std::string& place) {
  const bool digits = !key.empty() && key.size() <= 3 && std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
  const int value = digits ? std::stoi(key) : -1;
  if (value < 0 || value > 255 || std::to_string(value) != key) JsonObject::fail(place, "it is not a class, 0 to 255");
  return value;
}

std::string source_of(const JsonObject& object) {
  std::string source = object.string("source");
  if (source.empty()) JsonObject::fail(object.at("source"), "a name is expected");
  return source;
}

/// Reason and kind of error: both there where something went wrong, neither where not.
void read_reason(const JsonObject& object, bool expected, std::string& reason, std::string& kind) {
  for (const char* key : {"reason", "kind"})
    if (object.has(key) != expected) JsonObject::fail(object.at(key), expected ? "it is missing" : "nothing failed, so there is none");
  if (!expected) return;
  reason = object.string("reason");
  kind = object.string("kind");
}

/// Said where it is so, and where it matters: whether the next run asks again for what went wrong.
void write_remote(Json& json, bool remote, bool wrong) {
  if (remote || wrong) json["remote"] = remote;
}
/// Sidecars of 0.5.0 do not say it: where something went wrong, asking once more does no harm.
bool read_remote(const JsonObject& object, bool wrong) { return object.has("remote") ? object.boolean("remote") : wrong; }

bool went_wrong(const GroundTruthReport& report) {
  return std::any_of(report.layers.begin(), report.layers.end(), [](const LayerReport& layer) { return has_reason(layer.outcome); });
}
bool went_wrong(const ImageryReport& report) { return has_reason(report.rgb) || has_reason(report.nir); }

Json to_json(const LayerReport& layer) {
  Json json{{"layer", layer.layer},
            {"outcome", to_string(layer.outcome)},
            {"objects", layer.objects},
            {"repaired", layer.repaired},
            {"points", layer.points}};
  if (has_reason(layer.outcome)) {
    json["reason"] = layer.reason;
    json["kind"] = layer.kind;
  }
  return json;
}

LayerReport layer_from_json(const Json& json, const std::string& place) {
  const JsonObject object(json, place, {"layer", "outcome", "objects", "repaired", "points"}, {"reason", "kind"});
  LayerReport layer;
  layer.layer = object.string("layer");
  layer.outcome = outcome_of(object, "outcome");
  layer.objects = object.count("objects");
  layer.repaired = object.count("repaired");
  layer.points = object.count("points");
  read_reason(object, has_reason(layer.outcome), layer.reason, layer.kind);
  return layer;
}

}  // namespace

Json to_json(const GroundTruthReport& report) {
  if (report.source.empty()) return nullptr;
  Json classes = Json::object();
  for (const auto& [label, points] : report.classes) classes[std::to_string(label)] = points;
  Json json{{"source", report.source}};
  write_remote(json, report.remote, went_wrong(report));
  json["edition"] = report.edition;
  json["labelled"] = report.labelled;
  json["layers"] = array_of(report.layers, [](const LayerReport& layer) { return to_json(layer); });
  json["from_file"] = report.from_file;
  json["from_ndvi"] = report.from_ndvi;
  json["classes"] = std::move(classes);
  return json;
}

Json to_json(const ImageryReport& report) {
  if (report.source.empty()) return nullptr;
  Json json{{"source", report.source}};
  write_remote(json, report.remote, went_wrong(report));
  json["rgb"] = to_string(report.rgb);
  json["nir"] = to_string(report.nir);
  json["rgb_unknown"] = report.rgb_unknown;
  json["nir_unknown"] = report.nir_unknown;
  if (has_reason(report.rgb) || has_reason(report.nir)) {
    json["reason"] = report.reason;
    json["kind"] = report.kind;
  }
  return json;
}

GroundTruthReport ground_truth_from_json(const Json& json, const std::string& place) {
  GroundTruthReport report;
  if (json.is_null()) return report;
  const JsonObject object(json, place, {"source", "edition", "labelled", "layers", "from_file", "from_ndvi", "classes"}, {"remote"});
  report.source = source_of(object);
  report.edition = object.string("edition");
  report.labelled = object.boolean("labelled");
  report.layers = object.array("layers", layer_from_json);
  report.remote = read_remote(object, went_wrong(report));
  report.from_file = object.count("from_file");
  report.from_ndvi = object.count("from_ndvi");
  const Json& classes = object.json("classes");
  if (!classes.is_object()) JsonObject::fail(object.at("classes"), "an object is expected");
  for (const auto& item : classes.items()) {
    const std::string at = object.at("classes") + "." + item.key();
    report.classes.emplace_back(class_of(item.key(), at), JsonObject::as_count(item.value(), at));
  }
  std::sort(report.classes.begin(), report.classes.end());  // the keys of an object may have been put into another order
  return report;
}

ImageryReport imagery_from_json(const Json& json, const std::string& place) {
  ImageryReport report;
  if (json.is_null()) return report;
  const JsonObject object(json, place, {"source", "rgb", "nir", "rgb_unknown", "nir_unknown"}, {"remote", "reason", "kind"});
  report.source = source_of(object);
  report.rgb = outcome_of(object, "rgb");
  report.nir = outcome_of(object, "nir");
  report.remote = read_remote(object, went_wrong(report));
  report.rgb_unknown = object.count("rgb_unknown");
  report.nir_unknown = object.count("nir_unknown");
  read_reason(object, has_reason(report.rgb) || has_reason(report.nir), report.reason, report.kind);
  return report;
}

}  // namespace tuile::write
