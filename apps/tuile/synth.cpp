#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "command.hpp"
#include "tuile/core/error.hpp"
#include "tuile/synth/town.hpp"

namespace tuile::app {

namespace {

struct SynthArguments {
  std::string output, tiles = "3x3";
  synth::TownOptions town;
};

int synthesise(SynthArguments arguments, Context& context) {
  const char* end = arguments.tiles.data() + arguments.tiles.size();
  const auto [cross, bad_columns] = std::from_chars(arguments.tiles.data(), end, arguments.town.tiles_x);
  const bool has_cross = bad_columns == std::errc{} && cross != end && *cross == 'x';
  const auto [rest, bad_rows] = std::from_chars(has_cross ? cross + 1 : end, end, arguments.town.tiles_y);
  if (!has_cross || bad_rows != std::errc{} || rest != end)
    throw ConfigError("--tiles '" + arguments.tiles + "': columns x rows is expected, e.g. 3x3");
  Executor executor;
  arguments.town.ground_truth = true;
  synth::write_town(arguments.town, arguments.output, executor, context.stop);
  const synth::TownPaths paths = synth::town_paths(arguments.town, arguments.output);
  if (context.json) {
    const nlohmann::ordered_json result{{"tiles", paths.tiles},
                                        {"ground_truth", paths.ground_truth},
                                        {"orthophotos", {paths.ortho_rgb, paths.ortho_irc}},
                                        {"classes", paths.classes}};
    context.output.json(result);
  } else {
    context.output.report(
        fmt::format("{} tiles of {} m x {} m are in {}/tiles, the classes of their points in {}/classes\n"
                    "The ground truth is {}, the orthophotos are {} and {}\n",
                    paths.tiles.size(), arguments.town.size, arguments.town.size, arguments.output, arguments.output, paths.ground_truth,
                    paths.ortho_rgb, paths.ortho_irc));
  }
  return success;
}

}  // namespace

void add_synth(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<SynthArguments>();
  CLI::App* command =
      app.add_subcommand("synth", "A synthetic town: adjoining LAZ tiles, ground truth and orthophotos, the same bytes for the same seed");
  command->footer("Example:\n  tuile synth -o town --tiles 3x3 --size 200 --density 20 --seed 1");
  command->add_option("-o,--output", arguments->output, "Folder to write to")->type_name("DIR")->required();
  command->add_option("--tiles", arguments->tiles, "Columns and rows (default 3x3)")->type_name("COLUMNSxROWS");
  command->add_option("--size", arguments->town.size, "Side of a tile, metres (default 200)")->type_name("M");
  command->add_option("--density", arguments->town.density, "Pulses per square metre (default 20)")->type_name("N");
  command->add_option("--seed", arguments->town.seed, "Same seed, same bytes (default 1)")->type_name("N");
  command->add_option("--format", arguments->town.point_format, "Point format; 8 has colours (default 6)")->type_name("6|8");
  command->callback([arguments, &action] { action = {[arguments](Context& context) { return synthesise(*arguments, context); }, true}; });
}

}  // namespace tuile::app
