#include "tuile/write/verify.hpp"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "command.hpp"

namespace tuile::app {

namespace {

int verify(const std::string& directory, Context& context) {
  const write::VerifyReport report = write::verify_directory(directory);
  std::size_t unsound = 0;
  for (const write::TileVerification& tile : report.tiles) unsound += tile.problems.empty() ? 0 : 1;
  if (context.json) {
    nlohmann::ordered_json tiles = nlohmann::ordered_json::array();
    for (const write::TileVerification& tile : report.tiles)
      tiles.push_back({{"sidecar", tile.sidecar.string()}, {"problems", tile.problems}});
    std::vector<std::string> leftovers, orphans;
    for (const auto& path : report.leftovers) leftovers.push_back(path.string());
    for (const auto& path : report.without_sidecar) orphans.push_back(path.string());
    const nlohmann::ordered_json json{{"ok", report.ok()},
                                      {"tiles", std::move(tiles)},
                                      {"leftovers", leftovers},
                                      {"without_sidecar", orphans},
                                      {"files_checked", report.files_checked},
                                      {"bytes_checked", report.bytes_checked}};
    context.output.json(json);
  } else {
    for (const write::TileVerification& tile : report.tiles) {
      for (const std::string& problem : tile.problems) context.console.error(tile.sidecar.string() + ": " + problem);
    }
    for (const auto& path : report.without_sidecar)
      context.console.error(path.string() + ": no sidecar vouches for it; process its tile again or delete it");
    for (const auto& path : report.leftovers) context.console.warn(path.string() + ": temporary of a run that was killed or still goes on");
    context.output.report(fmt::format(
        "{} tiles, {} files, {:.1f} MB checked: {}\n", report.tiles.size(), report.files_checked,
        1e-6 * static_cast<double>(report.bytes_checked),
        report.ok() ? "all sound" : fmt::format("{} tiles are damaged, {} files have no sidecar", unsound, report.without_sidecar.size())));
  }
  if (report.tiles.empty()) {
    context.console.error(directory + " holds no sidecar: nothing was verified; give the output folder of tuile process");
    return some_failed;
  }
  return report.ok() ? success : some_failed;
}

}  // namespace

void add_verify(CLI::App& app, Action& action) {
  auto directory = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("verify", "Check finished outputs against their sidecars: files, sizes, checksums, counts");
  command->footer("Example:\n  tuile verify out\nExit status: 0 all sound, 1 something is damaged, missing or not vouched for.");
  command->add_option("directory", *directory, "Output folder of tuile process")->type_name("DIR")->required();
  command->callback([directory, &action] { action.run = [directory](Context& context) { return verify(*directory, context); }; });
}

}  // namespace tuile::app
