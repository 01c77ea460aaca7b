#include "command_line.hpp"

#include "tuile/core/version.hpp"

namespace tuile::app {

CommandLine::CommandLine() : app("tuile: airborne LiDAR tiles to per-point features and ML-ready datasets", "tuile") {
  app.set_version_flag("--version", std::string("tuile ") + version(), "Print the version and exit");
  app.require_subcommand(1);
  add_process(app, action);
  add_info(app, action);
  add_synth(app, action);
  add_truth(app, action);
  add_download(app, action);
  add_verify(app, action);
  add_config(app, action);
  add_bench(app, action);
  std::string names;
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    names += (names.empty() ? "" : "|") + command->get_name();
    command->add_flag("--json", json, "Machine-readable result on stdout");
    CLI::Option* const q = command->add_flag("-q,--quiet", quiet, "Errors only, and what was asked for by name");
    command->add_flag("-v,--verbose", verbose, "More about what is done")->excludes(q);
  }
  // Never run: main.cpp turns it into --help.
  CLI::App* const help = app.add_subcommand("help", "This help, or that of a command");
  help->footer("Example:\n  tuile help process");
  help->add_option("command", help_of, "The command")->type_name(names);
}

}  // namespace tuile::app
