#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <stop_token>

#include "console.hpp"
#include "output.hpp"

namespace tuile::app {

/// Exit statuses of the command line.
/// reader_gone: what a shell says of a program that SIGPIPE has ended.
enum Exit : int { success = 0, some_failed = 1, wrong_usage = 2, backend_unavailable = 3, interrupted = 130, reader_gone = 141 };

/// What every command gets.
struct Context {
  Console& console;
  Output& output;
  std::stop_token stop;  ///< requested by Ctrl-C or SIGTERM, for the commands that obey it; the others just end
  bool json = false;     ///< machine-readable result on stdout
};

/// Each adds its subcommand; `action` is set to what executes it, once it was chosen.
struct Action {
  std::function<int(Context&)> run;
  bool stops = false;  ///< obeys Context::stop
};
void add_process(CLI::App& app, Action& run);
void add_info(CLI::App& app, Action& run);
void add_synth(CLI::App& app, Action& run);
void add_truth(CLI::App& app, Action& run);
void add_download(CLI::App& app, Action& run);
void add_verify(CLI::App& app, Action& run);
void add_config(CLI::App& app, Action& run);
void add_bench(CLI::App& app, Action& run);

}  // namespace tuile::app
