#include <exception>
#include <optional>

#include "command_line.hpp"
#include "signals.hpp"
#include "slips.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/file/descriptor.hpp"

namespace tuile::app {
namespace {

/// What parsing gave, where nothing is left to do but to say so; else nothing.
std::optional<int> parse(CommandLine& line, const std::vector<std::string>& arguments, Console& console) {
  const std::string command = unknown_command(line.app, arguments);
  if (!command.empty()) {
    console.error(command);
    return wrong_usage;
  }
  try {
    line.app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // which it takes from the end
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    const std::string option = error.get_exit_code() == 0 ? std::string() : unknown_option(line.app, arguments);
    if (option.empty()) return line.app.exit(error) == 0 ? success : wrong_usage;
    console.error(option);
    return wrong_usage;
  }
}

int run(const std::vector<std::string>& arguments) {
  CommandLine line;
  Console console;
  if (const std::optional<int> status = parse(line, without_help_command(arguments), console)) return *status;
  console.set_level(line.quiet ? Console::Level::quiet : line.verbose ? Console::Level::verbose : Console::Level::normal);
  std::optional<SignalStop> signals;
  if (line.action.stops) signals.emplace();
  Output output(line.quiet);
  Context context{console, output, signals ? signals->token() : std::stop_token{}, line.json};
  try {
    const int status = line.action.run(context);
    output.flush();
    return status;
  } catch (const ReaderGone&) {
    return reader_gone;
  } catch (const Error& error) {
    console.error(error.what());
    return traits(error.kind()).exit_status;
  } catch (const std::exception& error) {
    console.error(error.what());
    return some_failed;
  }
}

}  // namespace
}  // namespace tuile::app

int main(int argc, char** argv) {
  tuile::secure_standard_descriptors();
  return tuile::app::run({argv + 1, argv + argc});
}
