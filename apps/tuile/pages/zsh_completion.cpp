#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "pages/pages.hpp"
#include "tuile/config/load.hpp"

namespace tuile::app::pages {

namespace {

constexpr std::string_view head = R"(#compdef tuile
# zsh completion of tuile. Made from the command line's parser by `make docs`; a test compares. Do not edit by hand.

# Words separated by commas.
_tuile_list() {
  compset -P '*,'
  compadd -q -S , -- "$@"
}

# KEY=VALUE of the configuration.
_tuile_setting() {
  if compset -P 1 '*='; then
    case ${IPREFIX%=} in
)";

/// A word with which a text stands inside single quotes in a specification of _arguments.
std::string escaped(const std::string& text, const std::string& special) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (special.find(c) != std::string::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string action_of(const Offer& offer) {
  const std::string words = fmt::format("{}", fmt::join(offer.words, " "));
  const std::string paths = offer.files ? "_files" : offer.folders ? "_files -/" : "";
  if (offer.settings) return " _tuile_setting";
  if (offer.list) return " _tuile_list " + words;
  if (words.empty()) return paths;
  if (paths.empty()) return "(" + words + ")";
  return "{_alternative \"words:word:(" + words + ")\" \"files:file:" + paths + "\"}";
}

std::string specification_of(const OptionPage& option) {
  const std::string help = "[" + escaped(option.help, "[]\\") + "]";
  const std::string value = option.value.empty() ? "" : ":" + escaped(option.value, ":\\") + ":" + action_of(option.offer);
  std::string specification;
  const auto name_of = [&](const std::string& name) { return name + (option.value.empty() ? "" : name.size() > 2 ? "=" : "+"); };
  const std::string before = option.repeatable ? "*" : option.names.size() > 1 ? fmt::format("({})", fmt::join(option.names, " ")) : "";
  for (const std::string& name : option.names) specification += fmt::format(" \\\n    '{}{}{}{}'", before, name_of(name), help, value);
  return specification;
}

std::string argument_specification(const OptionPage& argument, std::size_t place) {
  return fmt::format(" \\\n    '{}:{}:{}'", argument.repeatable ? "*" : std::to_string(place), escaped(argument.help, ":\\"),
                     action_of(argument.offer));
}

std::string function_of(const CommandPage& command) {
  std::string name = "_tuile" + (command.path.empty() ? "" : "_" + command.path);
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

std::string last_name(const CommandPage& command) { return command.path.substr(command.path.rfind(' ') + 1); }

std::string body_of(const CommandPage& command) {
  std::string options, names, cases;
  for (const OptionPage& option : command.options) options += specification_of(option);
  if (command.commands.empty()) {
    std::size_t place = 0;
    for (const OptionPage& argument : command.arguments) options += argument_specification(argument, ++place);
    return fmt::format("{}() {{\n  _arguments{}\n}}\n\n", function_of(command), options);
  }
  for (const CommandPage& one : command.commands) {
    names += fmt::format("    '{}:{}'\n", last_name(one), escaped(one.help, ":\\"));
    cases += fmt::format("        {}) {} ;;\n", last_name(one), function_of(one));
  }
  return fmt::format(
      "{}() {{\n  local state\n  local -a commands\n  commands=(\n{}  )\n"
      "  _arguments -C{} \\\n    '1:command:->command' \\\n    '*::argument:->argument'\n"
      "  case $state in\n    command) _describe command commands ;;\n    argument)\n      case $words[1] in\n{}      esac ;;\n  "
      "esac\n}}\n\n",
      function_of(command), names, options, cases);
}

}  // namespace

std::string zsh_completion(const CommandPage& page) {
  std::string words_of_keys, keys, text(head);
  for (const config::KeyWords& key : config::key_words()) {
    keys += " " + key.path;
    if (!key.words.empty()) words_of_keys += fmt::format("      {}) compadd -- {} ;;\n", key.path, fmt::join(key.words, " "));
  }
  text += words_of_keys + "    esac\n  else\n    compadd -S = --" + keys + "\n  fi\n}\n\n";
  for (const CommandPage* command : all_of(page)) text += body_of(*command);
  return text + "_tuile \"$@\"\n";
}

}  // namespace tuile::app::pages
