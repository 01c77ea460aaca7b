#pragma once

#include "command.hpp"

namespace tuile::app {

/// The parser of the command line with every command, and what it found. The help, the completions and the man pages are made of it.
struct CommandLine {
  CommandLine();
  CommandLine(const CommandLine&) = delete;  // the parser writes to the members
  CommandLine& operator=(const CommandLine&) = delete;

  CLI::App app;
  Action action;
  bool json = false, quiet = false, verbose = false;
  std::string help_of;  ///< the command of `tuile help`
};

}  // namespace tuile::app
