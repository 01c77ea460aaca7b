#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace tuile::app {

/// `tuile help config show` as `tuile config show --help`; what does not begin with "help" stays.
std::vector<std::string> without_help_command(std::vector<std::string> arguments);

/// What to say of a command that does not exist, with the nearest one; "" where there is no such slip.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& arguments);
/// The same for the first option that its command does not have.
std::string unknown_option(const CLI::App& app, const std::vector<std::string>& arguments);

}  // namespace tuile::app
