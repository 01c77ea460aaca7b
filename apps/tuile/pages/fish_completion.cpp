#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pages/pages.hpp"
#include "tuile/config/load.hpp"

namespace tuile::app::pages {

namespace {

constexpr std::string_view head =
    R"(# fish completion of tuile. Made from the command line's parser by `make docs`; a test compares. Do not edit by hand.

# Whether the command line so far is of the command $argv[1].
function __tuile_at
    set -l command
    for word in (commandline -opc)[2..]
        set -l longer (string trim -- "$command $word")
        contains -- $longer $__tuile_commands; and set command $longer
    end
    test "$command" = "$argv[1]"
end

# Words separated by commas.
function __tuile_list
    set -l before (string replace -r '^--[^=]*=' '' -- (commandline -ct) | string match -r '^.*,')
    for word in $argv
        echo "$before$word"
    end
end

# KEY=VALUE of the configuration.
function __tuile_settings
    set -l key (string replace -r '^--[^=]*=' '' -- (commandline -ct) | string match -r '^[^=]*=')
    switch "$key"
)";

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

/// The options of `complete` for what may stand for a value.
std::string action_of(const Offer& offer) {
  const std::string words = fmt::format("{}", fmt::join(offer.words, " "));
  const std::string paths = offer.files || offer.folders ? " -F" : " -f";
  if (offer.settings) return " -f -a '(__tuile_settings)'";
  if (offer.list) return " -f -a '(__tuile_list " + words + ")'";
  if (offer.folders && words.empty()) return " -f -a '(__fish_complete_directories)'";
  return paths + (words.empty() ? "" : " -a " + quoted(words));
}

std::string last_name(const CommandPage& command) { return command.path.substr(command.path.rfind(' ') + 1); }

}  // namespace

std::string fish_completion(const CommandPage& page) {
  std::string words_of_keys, keys, paths, lines;
  for (const config::KeyWords& key : config::key_words()) {
    keys += " " + key.path;
    if (!key.words.empty())
      words_of_keys += fmt::format("        case '{}='\n            printf '{}=%s\\n' {}\n", key.path, key.path, fmt::join(key.words, " "));
  }
  for (const CommandPage* command : all_of(page)) {
    if (!command->path.empty()) paths += " " + quoted(command->path);
    const std::string start = "complete -c tuile -n \"__tuile_at '" + command->path + "'\"";
    for (const CommandPage& below : command->commands)
      lines += fmt::format("{} -a {} -d {}\n", start, last_name(below), quoted(below.help));
    for (const OptionPage& argument : command->arguments)
      lines += fmt::format("{}{} -d {}\n", start, action_of(argument.offer), quoted(argument.help));
    for (const OptionPage& option : command->options) {
      std::string names;
      for (const std::string& name : option.names) names += name.size() > 2 ? " -l " + name.substr(2) : " -s " + name.substr(1);
      lines +=
          fmt::format("{}{}{} -d {}\n", start, names, option.value.empty() ? "" : " -r" + action_of(option.offer), quoted(option.help));
    }
  }
  return std::string(head) + words_of_keys + "        case ''\n            printf '%s=\\n'" + keys +
         "\n    end\nend\n\nset -g __tuile_commands" + paths + "\ncomplete -c tuile -f\n" + lines;
}

}  // namespace tuile::app::pages
