#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "tuile/config/load.hpp"
#include "tuile/core/error.hpp"
#include "tuile/pipeline/tile_truth.hpp"

namespace tuile::app {

namespace {

struct TruthArguments {
  std::string tile, output, config_file, source;
  std::vector<std::string> set;
};

int fetch_truth(const TruthArguments& arguments, Context& context) {
  std::vector<config::Flag> flags;
  if (!arguments.source.empty()) flags.push_back({"ground_truth.source", arguments.source, "--ground-truth"});
  config::Config config = config::load_config({.preset = {}, .file = arguments.config_file, .set = arguments.set, .flags = flags});
  if (config.ground_truth.source == "none") config.ground_truth.source = "wfs";
  const pipeline::TileTruth truth = pipeline::write_tile_truth(
      config, arguments.tile, arguments.output, [&](const std::string& line) { context.console.warn(line); }, context.stop);
  bool complete = true;
  for (const auto& layer : truth.layers) complete = complete && is_sound(layer.outcome);
  if (context.json) {
    nlohmann::ordered_json layers = nlohmann::ordered_json::array();
    for (const auto& layer : truth.layers) {
      nlohmann::ordered_json entry{{"layer", layer.name}, {"outcome", to_string(layer.outcome)}, {"features", layer.features}};
      if (!layer.reason.empty()) entry["reason"] = layer.reason;
      layers.push_back(std::move(entry));
    }
    const Bounds& box = truth.bounds;
    const nlohmann::ordered_json json{{"output", arguments.output},
                                      {"source", truth.source},
                                      {"edition", truth.edition},
                                      {"epsg", truth.epsg},
                                      {"bounds", {box.min_x, box.min_y, box.max_x, box.max_y}},
                                      {"layers", std::move(layers)}};
    context.output.json(json);
  } else {
    for (const auto& layer : truth.layers) {
      context.output.report(fmt::format("{:<28} {:<16} {} features{}\n", layer.name, to_string(layer.outcome), layer.features,
                                        layer.reason.empty() ? "" : ": " + layer.reason));
    }
    context.output.report(fmt::format("{} holds the layers that were had, from {}{}\n", arguments.output, truth.source,
                                      truth.edition.empty() ? "" : " (" + truth.edition + ")"));
  }
  return complete ? success : some_failed;
}

}  // namespace

void add_truth(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<TruthArguments>();
  CLI::App* command = app.add_subcommand("truth", "Fetch the ground-truth layers of a tile, for a look in QGIS");
  command->footer(
      "Example:\n  tuile truth LHD_FXX_0870_6618_PTS_LAMB93_IGN69.copc.laz -o truth.gpkg\n"
      "Exit status: 0 all layers had (some may be confirmed empty), 1 some layers failed or were truncated and are not in the file.");
  command->add_option("tile", arguments->tile, "A LAS, LAZ or COPC file, or its http(s) URL")->type_name("INPUT")->required();
  command->add_option("-o,--output", arguments->output, "GeoPackage to write")->type_name("FILE")->required();
  command->add_option("--ground-truth", arguments->source, "Source (default wfs); FILE is a vector file or a folder of such")
      ->type_name("wfs|FILE");
  command->add_option("-c,--config", arguments->config_file, "YAML configuration")->type_name("FILE");
  command->add_option("--set", arguments->set, "A key of the configuration, e.g. ground_truth.wfs.url=…; repeatable")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  command->callback([arguments, &action] { action = {[arguments](Context& context) { return fetch_truth(*arguments, context); }, true}; });
}

}  // namespace tuile::app
