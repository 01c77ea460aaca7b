#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

namespace tuile::app::pages {

/// What may stand for a value: what its name in the help says (arguments.hpp).
struct Offer {
  std::vector<std::string> words;
  bool files = false;
  bool folders = false;
  bool list = false;      ///< several words, separated by commas
  bool settings = false;  ///< KEY=VALUE of the configuration
};

struct OptionPage {
  std::vector<std::string> names;  ///< "-o", "--output"; none: an argument
  std::string value;               ///< what it takes as the help names it, "" for a flag
  std::string help;
  bool repeatable = false;
  bool required = false;
  Offer offer;
};

struct CommandPage {
  std::string path;  ///< "config show"; "" is tuile itself
  std::string help, footer;
  std::vector<OptionPage> options, arguments;
  std::vector<CommandPage> commands;
};

/// What the parser knows, for the writers of pages.
CommandPage page_of(const CLI::App& app);

/// The command itself, then all below it.
std::vector<const CommandPage*> all_of(const CommandPage& page);

std::string bash_completion(const CommandPage& page);
std::string zsh_completion(const CommandPage& page);
std::string fish_completion(const CommandPage& page);
/// Each man page by its name, "tuile-process.1": one of tuile and one of each command.
std::map<std::string, std::string> man_pages(const CommandPage& page);

}  // namespace tuile::app::pages
