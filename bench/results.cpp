#include "results.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "tuile/core/file/atomic_file.hpp"

namespace tuile::bench {

namespace {

using Json = nlohmann::ordered_json;

/// Six significant digits: more would be noise.
Json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (value == 0) return 0.0;
  const double unit = std::pow(10.0, 5 - std::floor(std::log10(std::abs(value))));
  return std::round(value * unit) / unit;
}

/// Absolute paths cut to their last part: results are published.
std::string without_folders(const std::string& text) {
  std::string cut;
  for (std::size_t at = 0; at < text.size();) {
    const bool absolute = text[at] == '/' && (at == 0 || std::string_view(" '\"(=").find(text[at - 1]) != std::string_view::npos);
    const std::size_t end = absolute ? std::min(text.find_first_of(" '\"():,;", at), text.size()) : at;
    const std::size_t last = absolute ? text.rfind('/', end - 1) : at;
    if (absolute) at = last + 1;
    cut += text.substr(at, absolute ? end - at : 1);
    at = absolute ? end : at + 1;
  }
  return cut;
}

Json json_of(const Row& row) {
  Json json{{"name", row.name},
            {"value", rounded(row.value)},
            {"unit", row.unit},
            {"baseline_name", row.baseline_name},
            {"baseline", rounded(row.baseline)},
            {"ratio", rounded(row.ratio)},
            {"target", row.target ? rounded(*row.target) : Json(nullptr)},
            {"better", row.higher_is_better ? "higher" : "lower"},
            {"met", row.target ? Json(row.met()) : Json(nullptr)},
            {"runs", row.runs}};
  json["spread"] = row.spread ? Json{rounded(row.spread->low), rounded(row.spread->high)} : Json(nullptr);
  return json;
}

Json json_of(const Outcome& outcome) {
  Json rows = Json::array(), left_out = Json::array();
  for (const Row& row : outcome.rows) rows.push_back(json_of(row));
  for (const LeftOut& what : outcome.left_out) left_out.push_back({{"what", what.what}, {"reason", without_folders(what.reason)}});
  return {{"rows", std::move(rows)}, {"left_out", std::move(left_out)}};
}

std::string text_of(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string rows_json(const Outcome& outcome) { return text_of(json_of(outcome)); }

std::string results_json(const ResultsHead& head, const Outcome& outcome) {
  Json json{{"tuile", head.version},
            {"commit", head.commit},
            {"date", head.date},
            {"machine",
             {{"processor", head.machine.processor},
              {"cores", head.machine.cores},
              {"memory", head.machine.memory},
              {"kernel", head.machine.kernel},
              {"backend", head.machine.simd}}},
            {"sizes",
             {{"tiles", head.sizes.tiles},
              {"million_points", head.sizes.points},
              {"small_tiles_million_points", head.sizes.small},
              {"large_tile_million_points", head.sizes.large},
              {"runs", head.sizes.runs},
              {"pipeline_runs", head.sizes.pipeline_runs}}}};
  json.update(json_of(outcome));
  return text_of(json);
}

std::filesystem::path write_results(const std::filesystem::path& folder, const ResultsHead& head, const Outcome& outcome) {
  const std::filesystem::path path = folder / (head.date.substr(0, 10) + "-" + slug(head.machine) + ".json");
  const std::string text = results_json(head, outcome) + "\n";
  write_text_atomically(path, text);
  return path;
}

}  // namespace tuile::bench
