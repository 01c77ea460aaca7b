#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "command.hpp"
#include "tuile/catalog/inputs.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/las/decode.hpp"
#include "tuile/las/file_info.hpp"
#include "tuile/source/store.hpp"

namespace tuile::app {

namespace {

using Json = nlohmann::ordered_json;

struct InfoArguments {
  std::vector<std::string> inputs;
  bool stats = false;
};

const char* type_name(std::uint8_t data_type) {
  static constexpr std::array<const char*, 11> names{"bytes", "uint8",  "int8",  "uint16", "int16", "uint32",
                                                     "int32", "uint64", "int64", "float",  "double"};
  return data_type < names.size() ? names[data_type] : "array";
}

Json header_json(const std::string& path, const source::ByteSource& source, const las::FileInfo& info) {
  const las::Header& h = info.header;
  const Bounds b = info.bounds();
  Json json;
  json["path"] = path;
  json["bytes"] = source.size();
  json["version"] = fmt::format("{}.{}", h.version_major, h.version_minor);
  json["point_format"] = h.point_format;
  json["compression"] = !h.compressed ? "none" : info.copc ? "copc" : "laz";
  json["points"] = h.point_count;
  json["record_length"] = h.record_length;
  const auto without_minus_zero = [](std::array<double, 3> values) {
    for (double& value : values) value += 0.0;
    return values;
  };
  json["scale"] = h.scale;
  json["offset"] = without_minus_zero(h.offset);
  json["min"] = without_minus_zero(h.min);
  json["max"] = without_minus_zero(h.max);
  json["density"] = b.area() > 0 ? static_cast<double>(h.point_count) / b.area() : 0.0;
  json["crs"] = {{"epsg", info.crs.epsg},
                 {"name", info.crs.name},
                 {"degrees", info.crs.geographic},
                 {"metres_per_unit", info.crs.horizontal_unit},
                 {"metres_per_vertical_unit", info.crs.vertical_unit}};
  json["generating_software"] = h.generating_software;
  json["system_identifier"] = h.system_identifier;
  json["created"] = fmt::format("{}, day {}", h.creation_year, h.creation_day);
  json["points_by_return"] = h.points_by_return;
  Json extra = Json::array();
  for (const las::ExtraDimension& dimension : info.extra_dimensions) {
    extra.push_back({{"name", dimension.name}, {"type", type_name(dimension.data_type)}, {"description", dimension.description}});
  }
  json["extra_dimensions"] = std::move(extra);
  json["vlrs"] = info.vlrs.size();
  json["evlrs"] = info.evlrs.size();
  if (info.laszip && !info.laszip->variable_chunks()) json["chunk_size"] = info.laszip->chunk_size;
  json["warnings"] = info.warnings;
  return json;
}

/// What only the points can tell.
void add_statistics(Json& json, const source::ByteSource& source, const las::FileInfo& info, Executor& executor,
                    const std::stop_token& stop) {
  const Buffer<std::byte> bytes = source::read_all(source);
  const las::DecodeResult result = las::decode(
      bytes.span(), info, {.fields = FieldSet{}.with(Field::returns).with(Field::intensity), .bbox = std::nullopt, .stop = stop}, executor);
  std::map<int, std::uint64_t> classes, returns;
  for (const std::uint8_t c : result.points.classification) ++classes[c];
  for (const std::uint8_t r : result.points.return_number) ++returns[r];
  Json class_counts = Json::object(), return_counts = Json::object();
  for (const auto& [c, n] : classes) class_counts[std::to_string(c)] = n;
  for (const auto& [r, n] : returns) return_counts[std::to_string(r)] = n;
  json["classes"] = std::move(class_counts);
  json["returns"] = std::move(return_counts);
  if (!result.points.intensity.empty()) {
    const auto [low, high] = std::minmax_element(result.points.intensity.begin(), result.points.intensity.end());
    json["intensity"] = {*low, *high};
  }
  for (const std::string& warning : result.warnings) json["warnings"].push_back(warning);
}

std::string text_of(const Json& json) {
  std::string text;
  for (const auto& [key, value] : json.items()) {
    if (key == "path") {
      text += value.get<std::string>() + "\n";
    } else if (!(value.is_array() && value.empty())) {
      text += fmt::format("  {:<20} {}\n", key,
                          value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace));
    }
  }
  return text;
}

int info(const InfoArguments& arguments, Context& context) {
  Executor executor;
  Json all = Json::array();
  bool failed = false;
  source::Store store;
  for (const catalog::InputFile& input : catalog::expand_inputs(arguments.inputs)) {
    if (context.stop.stop_requested()) return interrupted;
    try {
      const std::unique_ptr<source::ByteSource> source = store.open(input.path, context.stop);
      const las::FileInfo info = las::read_info(*source);
      Json json = header_json(source::public_location(input.path), *source, info);
      if (arguments.stats) add_statistics(json, *source, info, executor, context.stop);
      if (!context.json) context.output.result(text_of(json));
      all.push_back(std::move(json));
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& error) {
      const std::string message = located(error.what(), source::public_location(input.path));
      context.console.error(message);
      all.push_back({{"path", source::public_location(input.path)}, {"error", message}, {"kind", to_string(error.kind())}});
      failed = true;
    } catch (const std::exception& error) {
      context.console.error(located(error.what(), source::public_location(input.path)));
      all.push_back({{"path", source::public_location(input.path)}, {"error", error.what()}, {"kind", to_string(ErrorKind::io)}});
      failed = true;
    }
  }
  if (context.json) context.output.json(Json{{"files", std::move(all)}});
  return failed ? some_failed : success;
}

}  // namespace

void add_info(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<InfoArguments>();
  CLI::App* command = app.add_subcommand("info", "What a file holds: header, CRS, bounds, density, extra dimensions");
  command->footer("Example:\n  tuile info --stats tiles/*.laz");
  command->add_option("input", arguments->inputs, "Files, folders, globs, http(s) URLs, or @list.txt")->type_name("INPUT")->required();
  command->add_flag("--stats", arguments->stats, "Also decode the points: counts per class and return");
  command->callback([arguments, &action] { action = {[arguments](Context& context) { return info(*arguments, context); }, true}; });
}

}  // namespace tuile::app
