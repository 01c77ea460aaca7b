#include "tuile/pipeline/download.hpp"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "arguments.hpp"
#include "command.hpp"
#include "tuile/core/error.hpp"

namespace tuile::app {

namespace {

using State = pipeline::DownloadedTile::State;

struct DownloadArguments {
  std::string bbox;
  std::vector<std::string> layers;
  pipeline::DownloadOptions options;
};

nlohmann::ordered_json json_of(const pipeline::DownloadReport& report) {
  nlohmann::ordered_json tiles = nlohmann::ordered_json::array();
  for (const auto& tile : report.tiles) {
    nlohmann::ordered_json entry{
        {"name", tile.name}, {"url", tile.url}, {"path", tile.path}, {"state", to_string(tile.state)}, {"size", tile.size}};
    if (tile.state == State::failed) entry["message"] = tile.message;
    tiles.push_back(std::move(entry));
  }
  return {{"tiles", std::move(tiles)},
          {"requests", report.http.requests},
          {"retries", report.http.retries},
          {"interrupted", report.interrupted}};
}

int download(DownloadArguments arguments, Context& context) {
  pipeline::DownloadOptions& options = arguments.options;
  options.bbox = parse_bbox(arguments.bbox);
  if (!arguments.layers.empty()) options.index_layers = arguments.layers;
  options.stop = context.stop;
  options.log = [&](const std::string& line) { context.console.warn(line); };
  options.progress = [&](const pipeline::DownloadProgress& p) {
    context.console.progress(fmt::format("{}/{} tiles, {:.0f} MB{}", p.done + p.failed, p.total, 1e-6 * static_cast<double>(p.bytes),
                                         p.failed > 0 ? fmt::format(", {} failed", p.failed) : ""));
  };
  const pipeline::DownloadReport report = pipeline::download_tiles(options);
  context.console.progress("");
  std::size_t failed = 0, fetched = 0, there = 0;
  for (const auto& tile : report.tiles) {
    failed += tile.state == State::failed ? 1 : 0;
    fetched += tile.state == State::downloaded ? 1 : 0;
    there += tile.state == State::already_there ? 1 : 0;
    if (tile.state == State::failed) context.console.error(located(tile.message, tile.url));
  }
  if (context.json) {
    context.output.json(json_of(report));
  } else if (options.list_only) {
    for (const auto& tile : report.tiles) context.output.result(tile.url + "\n");
  } else {
    context.console.info(fmt::format("{} of {} tiles downloaded, {} were there, {} failed; they are in {}", fetched, report.tiles.size(),
                                     there, failed, options.output));
  }
  if (report.interrupted) return interrupted;
  return failed == 0 ? success : some_failed;
}

}  // namespace

void add_download(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<DownloadArguments>();
  pipeline::DownloadOptions& options = arguments->options;
  CLI::App* command = app.add_subcommand("download", "Fetch the published tiles of an area");
  command->footer(
      "Example:\n  tuile download --bbox 870000,6617000,872000,6619000 -o tiles/\n"
      "An interrupted download goes on where it stopped: use the same command. Tiles that are there and sound are left alone.");
  command->add_option("--bbox", arguments->bbox, "The area, metres")->type_name("X0,Y0,X1,Y1")->required();
  command->add_option("-o,--output", options.output, "Folder to write to")->type_name("DIR")->required();
  command->add_option("--crs", options.epsg, "EPSG code of the box (default 2154)")->type_name("N");
  command->add_option("--index", options.index_url, "WFS that holds the index of tiles")->type_name("URL")->capture_default_str();
  command
      ->add_option("--layer", arguments->layers, "Layer of the index; repeatable, tried in turn (default: the names that LiDAR HD has had)")
      ->type_name("NAME");
  command->add_option("--url-attribute", options.url_attributes, "Attribute that holds a tile's URL; repeatable, tried in turn")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("--parallel", options.parallel, "Files at once")->type_name("N")->capture_default_str();
  command->add_option("--requests-per-second", options.requests_per_second, "The service allows 10")->type_name("N")->capture_default_str();
  command->add_option("--retries", options.retries, "Further attempts after an error that can pass")->type_name("N")->capture_default_str();
  command->add_flag("--list", options.list_only, "Print the URLs, fetch nothing");
  command->callback([arguments, &action] { action = {[arguments](Context& context) { return download(*arguments, context); }, true}; });
}

}  // namespace tuile::app
