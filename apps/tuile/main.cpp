#include <cstdio>
#include <exception>
#include <optional>

#include "command.hpp"
#include "signals.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/file/descriptor.hpp"
#include "tuile/core/version.hpp"

namespace tuile::app {
namespace {

int run(int argc, char** argv) {
  CLI::App app{"tuile: airborne LiDAR tiles to per-point features and ML-ready datasets"};
  app.set_version_flag("--version", std::string("tuile ") + version());
  app.require_subcommand(1);
  bool json = false, quiet = false, verbose = false;
  const auto add_common = [&](CLI::App& command) {
    command.add_flag("--json", json, "Machine-readable result on stdout");
    auto* q = command.add_flag("-q,--quiet", quiet, "Errors only");
    command.add_flag("-v,--verbose", verbose, "More about what is done")->excludes(q);
  };
  Action action;
  add_process(app, action);
  add_info(app, action);
  add_synth(app, action);
  add_truth(app, action);
  add_download(app, action);
  add_verify(app, action);
  add_config(app, action);
  add_bench(app, action);
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) add_common(*command);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? success : wrong_usage;
  }

  Console console;
  console.set_level(quiet ? Console::Level::quiet : verbose ? Console::Level::verbose : Console::Level::normal);
  std::optional<SignalStop> signals;
  if (action.stops) signals.emplace();
  Context context{console, signals ? signals->token() : std::stop_token{}, json};
  try {
    const int status = action.run(context);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) throw IoError("cannot write to the standard output; is its disk full?");
    return status;
  } catch (const Error& error) {
    console.error(error.what());
    return traits(error.kind()).exit_status;
  } catch (const std::exception& error) {
    console.error(error.what());
    return some_failed;
  }
}

}  // namespace
}  // namespace tuile::app

int main(int argc, char** argv) {
  tuile::secure_standard_descriptors();
  return tuile::app::run(argc, argv);
}
