#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pages/pages.hpp"
#include "tuile/config/load.hpp"

namespace tuile::app::pages {

namespace {

constexpr std::string_view head =
    R"(# bash completion of tuile. Made from the command line's parser by `make docs`; a test compares. Do not edit by hand.

)";

// `offer` is what may be written: "files", "folders", "settings", "words a b", "list a b"; several are separated by ";".
constexpr std::string_view functions = R"bash(
# Adds to COMPREPLY what begins with $1 and is among the offers $2.
_tuile_add() {
  local current=$1 offer kind words before
  local -a offers
  IFS=';' read -r -a offers <<<"$2"
  for offer in "${offers[@]}"; do
    kind=${offer%% *} words=${offer#* }
    case $kind in
      words) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$words" -- "$current") ;;
      list)
        before=""
        [[ $current == *,* ]] && before=${current%,*},
        compopt -o nospace 2>/dev/null
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -P "$before" -W "$words" -- "${current##*,}") ;;
      files)
        compopt -o filenames 2>/dev/null
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current") ;;
      folders)
        compopt -o filenames 2>/dev/null
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$current") ;;
      settings)
        if [[ $current == *=* ]]; then
          words=$(_tuile_words_of_key "${current%%=*}")
          mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -P "${current%%=*}=" -W "$words" -- "${current#*=}")
        else
          compopt -o nospace 2>/dev/null
          mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -S = -W "$_tuile_keys" -- "$current")
        fi ;;
    esac
  done
}

_tuile() {
  local -a words=()
  local i
  # bash splits at "=" and ":" what is one word to tuile.
  for ((i = 0; i <= COMP_CWORD; ++i)); do
    if ((i > 1)) && [[ ${COMP_WORDS[i]} == [=:]* || ${COMP_WORDS[i-1]} == *[=:] ]]; then
      words[-1]+=${COMP_WORDS[i]}
    else
      words+=("${COMP_WORDS[i]}")
    fi
  done
  local current=${words[-1]} previous="" word command="" commands options arguments
  _tuile_command ""
  for word in "${words[@]:1:${#words[@]}-2}"; do
    if [[ $previous == -* && -n $(_tuile_value "$command" "$previous") ]]; then
      previous=""
      continue
    fi
    previous=$word
    if [[ " $commands " == *" $word "* ]]; then
      command+=${command:+ }$word
      _tuile_command "$command"
      previous=""
    fi
  done
  COMPREPLY=()
  local offer=""
  [[ $previous == -* ]] && offer=$(_tuile_value "$command" "$previous")
  if [[ -n $offer ]]; then
    _tuile_add "$current" "$offer"
  elif [[ $current == --*=* ]]; then
    _tuile_add "${current#*=}" "$(_tuile_value "$command" "${current%%=*}")"
    COMPREPLY=("${COMPREPLY[@]/#/${current%%=*}=}")
  elif [[ $current == -* ]]; then
    _tuile_add "$current" "words $options"
  else
    _tuile_add "$current" "words $commands"
    _tuile_add "$current" "$arguments"
  fi
  # Only what follows the last "=" or ":" is replaced.
  local kept=""
  [[ $current == *=* && $COMP_WORDBREAKS == *=* ]] && kept=${current%=*}=
  [[ $current == *:* && $COMP_WORDBREAKS == *:* ]] && kept=${current%:*}:
  [[ -n $kept ]] && COMPREPLY=("${COMPREPLY[@]#"$kept"}")
  return 0
}
complete -F _tuile tuile
)bash";

/// What takes a value that nobody can guess offers "none": so its value is not taken for something else.
std::string text_of(const Offer& offer) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ";") + part; };
  if (!offer.words.empty()) add(fmt::format("{} {}", offer.list ? "list" : "words", fmt::join(offer.words, " ")));
  if (offer.settings) add("settings");
  if (offer.files) add("files");
  if (offer.folders) add("folders");
  return text.empty() ? "none" : text;
}

std::vector<std::string> last_names(const std::vector<CommandPage>& commands) {
  std::vector<std::string> names;
  for (const CommandPage& command : commands) names.push_back(command.path.substr(command.path.rfind(' ') + 1));
  return names;
}

}  // namespace

std::string bash_completion(const CommandPage& page) {
  std::string keys, words_of_keys;
  for (const config::KeyWords& key : config::key_words()) {
    keys += (keys.empty() ? "" : " ") + key.path;
    if (!key.words.empty()) words_of_keys += fmt::format("    {}) echo '{}' ;;\n", key.path, fmt::join(key.words, " "));
  }
  std::string commands, values;
  for (const CommandPage* command : all_of(page)) {
    std::vector<std::string> options;
    for (const OptionPage& option : command->options) {
      for (const std::string& name : option.names) {
        if (name.size() > 2 || option.names.size() == 1) options.push_back(name);
        if (!option.value.empty()) values += fmt::format("    '{} {}') echo '{}' ;;\n", command->path, name, text_of(option.offer));
      }
    }
    std::string arguments;
    for (const OptionPage& argument : command->arguments) {
      const std::string text = text_of(argument.offer);
      if (text != "none") arguments += (arguments.empty() ? "" : ";") + text;
    }
    commands += fmt::format("    '{}')\n      commands='{}'\n      options='{}'\n      arguments='{}' ;;\n", command->path,
                            fmt::join(last_names(command->commands), " "), fmt::join(options, " "), arguments);
  }
  return std::string(head) + "_tuile_keys='" + keys + "'\n\n_tuile_words_of_key() {\n  case $1 in\n" + words_of_keys +
         "  esac\n}\n\n# Sets commands, options and arguments: what may follow the command $1.\n_tuile_command() {\n  case $1 in\n" +
         commands +
         "  esac\n}\n\n# What the option $2 of the command $1 takes; nothing where it takes no value.\n_tuile_value() {\n  case \"$1 $2\" "
         "in\n" +
         values + "  esac\n}\n" + std::string(functions);
}

}  // namespace tuile::app::pages
