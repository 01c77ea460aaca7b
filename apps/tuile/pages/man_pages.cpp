#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "pages/pages.hpp"
#include "tuile/core/version.hpp"

namespace tuile::app::pages {

namespace {

constexpr std::string_view made = ".\\\" Made from the command line's parser by `make docs`; a test compares. Do not edit by hand.\n";

constexpr std::string_view description = R"(.SH DESCRIPTION
.B tuile process
computes geometric features of every point of LAS, LAZ and COPC tiles. Tiles are loaded while others are computed and written; a tile's border is
computed with the points of its neighbours. Tiles that are already done are skipped, so that the same command goes on after an interruption.
)";

constexpr std::string_view ends = R"(.SH EXIT STATUS
0 all done; 1 some tiles failed, each named with its reason; 2 wrong usage or configuration; 3 the backend asked for cannot run here;
130 interrupted; 141 nobody reads the standard output any more.
.SH ENVIRONMENT
.TP
.B NO_COLOR
When set, no colours on the terminal.
)";

std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
      out += c;
    }
  }
  return out;
}

std::string bold(const std::string& text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + roff(text) + "\\fR"; }

std::string synopsis_of(const CommandPage& command) {
  std::string line = bold("tuile" + (command.path.empty() ? "" : " " + command.path));
  for (const OptionPage& option : command.options) {
    if (option.required) line += " " + bold(option.names.front()) + " " + italic(option.value);
  }
  for (const OptionPage& argument : command.arguments) {
    const std::string text = italic(argument.value) + (argument.repeatable ? "..." : "");
    line += argument.required ? " " + text : " [" + text + "]";
  }
  return line + " [" + italic("options") + "]\n";
}

std::string options_of(const CommandPage& command) {
  std::string text;
  for (const OptionPage& argument : command.arguments)
    text += ".TP\n" + italic(argument.value) + (argument.repeatable ? "..." : "") + "\n" + roff(argument.help) + "\n";
  for (const OptionPage& option : command.options) {
    std::string names;
    for (const std::string& name : option.names) names += (names.empty() ? "" : ", ") + bold(name);
    text += ".TP\n" + names + (option.value.empty() ? "" : " " + italic(option.value)) + "\n" + roff(option.help) + "\n";
  }
  return text;
}

/// "Example:" with its lines, which are indented, and what follows.
std::string footer_of(const CommandPage& command) {
  std::string text;
  std::istringstream lines(command.footer);
  for (std::string line; std::getline(lines, line);) {
    if (line == "Example:") {
      text += ".SH EXAMPLE\n";
    } else if (line.rfind("Exit status: ", 0) == 0) {
      text += ".SH EXIT STATUS\n" + roff(line.substr(13)) + "\n";
    } else if (line.rfind("  ", 0) == 0) {
      text += ".nf\n" + roff(line.substr(2)) + "\n.fi\n";
    } else {
      text += ".PP\n" + roff(line) + "\n";
    }
  }
  return text;
}

std::string page_name(const CommandPage& command) { return command.path.empty() ? "tuile" : "tuile-" + command.path; }

std::string head_of(const CommandPage& command) {
  std::string upper = page_name(command);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  const std::string help = command.path.empty() ? command.help.substr(command.help.find(' ') + 1) : command.help;
  return std::string(made) + ".TH " + roff(upper) + " 1 \"\" \"tuile " + version() + "\" \"User Commands\"\n.SH NAME\n" +
         roff(page_name(command)) + " \\- " + roff(help) + "\n.SH SYNOPSIS\n";
}

std::string page_of_command(const CommandPage& command) {
  std::string text = head_of(command);
  if (command.commands.empty()) return text + synopsis_of(command) + ".SH OPTIONS\n" + options_of(command) + footer_of(command);
  for (const CommandPage& below : command.commands) text += synopsis_of(below) + ".br\n";
  text += ".SH COMMANDS\n";
  for (const CommandPage& below : command.commands) text += ".SS " + bold(below.path) + "\n" + roff(below.help) + "\n" + options_of(below);
  return text + footer_of(command);
}

std::string main_page(const CommandPage& page) {
  std::string text = head_of(page), others;
  text += bold("tuile") + " " + italic("command") + " [" + italic("options") + "]\n" + std::string(description) + ".SH COMMANDS\n";
  for (const CommandPage& command : page.commands) {
    text += ".TP\n" + bold(command.path) + "\n" + roff(command.help) + "\n";
    if (command.path != "help") others += ".br\n" + bold(page_name(command)) + "(1)\n";
  }
  return text + ".SH OPTIONS\n" + options_of(page) + std::string(ends) + ".SH SEE ALSO\n" + others;
}

}  // namespace

std::map<std::string, std::string> man_pages(const CommandPage& page) {
  std::map<std::string, std::string> pages{{"tuile.1", main_page(page)}};
  for (const CommandPage& command : page.commands) {
    if (command.path != "help") pages[page_name(command) + ".1"] = page_of_command(command);
  }
  return pages;
}

}  // namespace tuile::app::pages
