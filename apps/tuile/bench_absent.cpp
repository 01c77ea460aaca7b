#include "command.hpp"
#include "tuile/core/error.hpp"

namespace tuile::app {

void add_bench(CLI::App& app, Action& action) {
  CLI::App* const command = app.add_subcommand("bench", "Measures (left out of this build; make build has it)");
  command->allow_extras();
  command->callback([&action] {
    action.run = [](Context&) -> int { throw ConfigError("tuile bench was left out of this build; build it with: make build"); };
  });
}

}  // namespace tuile::app
