#include "slips.hpp"

#include <algorithm>
#include <utility>

#include "tuile/core/nearest.hpp"

namespace tuile::app {

namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

const CLI::App* command_named(const CLI::App& app, const std::string& name) {
  for (const CLI::App* command : commands_of(app)) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

/// "tuile config show"
std::string full_name(const CLI::App& command) {
  const std::string parent = command.get_parent() == nullptr ? std::string() : full_name(*command.get_parent()) + " ";
  return parent + command.get_name();
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string like = nearest(word, candidates);
  return like.empty() ? "; " : "; did you mean " + like + "? ";
}

/// The option of a command, or of one that it passes its options on to.
const CLI::Option* option_of(const CLI::App& command, const std::string& name) {
  for (const CLI::App* at = &command; at != nullptr; at = at->get_fallthrough() ? at->get_parent() : nullptr) {
    if (const CLI::Option* option = at->get_option_no_throw(name)) return option;
  }
  return nullptr;
}

std::vector<std::string> long_options_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* at = &command; at != nullptr; at = at->get_fallthrough() ? at->get_parent() : nullptr) {
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

bool is_option(const std::string& argument) { return argument.size() > 1 && argument[0] == '-'; }

/// The option's name in what was written: "--k" of "--k=3", "-o" of "-oout".
std::string name_in(const std::string& argument) {
  if (argument[1] == '-') return argument.substr(0, argument.find('='));
  return argument.substr(0, 2);
}

}  // namespace

std::vector<std::string> without_help_command(std::vector<std::string> arguments) {
  if (arguments.empty() || arguments.front() != "help") return arguments;
  arguments.erase(arguments.begin());
  arguments.erase(std::remove_if(arguments.begin(), arguments.end(), is_option), arguments.end());
  arguments.emplace_back("--help");
  return arguments;
}

std::string unknown_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  const CLI::App* command = &app;
  for (const std::string& argument : arguments) {
    if (commands_of(*command).empty()) return {};
    if (is_option(argument)) {
      // What the option does comes first, or its value would be taken for a command.
      const CLI::Option* const option = option_of(*command, name_in(argument));
      if (option == nullptr || command == &app || option->get_items_expected_max() > 0) return {};
      continue;
    }
    const CLI::App* const next = command_named(*command, argument);
    if (next == nullptr) {
      std::vector<std::string> names;
      for (const CLI::App* one : commands_of(*command)) names.push_back(one->get_name());
      std::string list;
      for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
      const std::string before = command == &app ? std::string() : full_name(*command).substr(app.get_name().size() + 1) + " ";
      return "unknown command '" + before + argument + "'" + did_you_mean(argument, names) + "(" + full_name(*command) + " has " + list +
             ")";
    }
    command = next;
  }
  return {};
}

std::string unknown_option(const CLI::App& app, const std::vector<std::string>& arguments) {
  const CLI::App* command = &app;
  bool value_follows = false;
  for (const std::string& argument : arguments) {
    if (std::exchange(value_follows, false)) continue;
    if (argument == "--") return {};
    if (!is_option(argument)) {
      const CLI::App* const next = command_named(*command, argument);
      if (next != nullptr) command = next;
      continue;
    }
    const std::string name = name_in(argument);
    const CLI::Option* const option = option_of(*command, name);
    if (option == nullptr) {
      // A letter has no near ones, and "-features" is a long name with a dash too few.
      const std::string written = argument.substr(0, argument.find('='));
      const bool letter = written.size() == 2;
      return "unknown option '" + (letter ? name : written) + "'" + (letter ? "; " : did_you_mean(written, long_options_of(*command))) +
             "(" + full_name(*command) + " --help lists them)";
    }
    value_follows = option->get_items_expected_max() > 0 && argument == name;
  }
  return {};
}

}  // namespace tuile::app
