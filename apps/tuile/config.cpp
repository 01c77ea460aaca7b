#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "arguments.hpp"
#include "command.hpp"
#include "tuile/config/load.hpp"
#include "tuile/pipeline/lidar_processor.hpp"

namespace tuile::app {

void add_config(CLI::App& app, Action& action) {
  auto sources = std::make_shared<config::Sources>();
  CLI::App* command = app.add_subcommand("config", "The effective configuration, its check, and ready-made ones");
  command->footer("Example:\n  tuile config show -c run.yaml --set features.k=30");
  command->require_subcommand(1);
  const auto add_sources = [&](CLI::App* sub) {
    sub->fallthrough();  // --json and its like stand after the inner command too
    sub->add_option("-c,--config", sources->file, "YAML configuration")->type_name("FILE");
    sub->add_option("--preset", sources->preset, "A ready-made configuration")->type_name(words_of_presets());
    sub->add_option("--set", sources->set, "A key of the configuration; repeatable")
        ->type_name("KEY=VALUE")
        ->take_all()
        ->allow_extra_args(false);
  };

  CLI::App* show = command->add_subcommand("show", "Every key with its value and where the value comes from");
  add_sources(show);
  show->callback([sources, &action] {
    action.run = [sources](Context& context) {
      const std::string yaml = config::effective_yaml(config::load_config(*sources));
      if (context.json) {
        context.output.json(nlohmann::ordered_json{{"yaml", yaml}});
      } else {
        context.output.result(yaml);
      }
      return success;
    };
  });

  CLI::App* check = command->add_subcommand("check", "Says what is wrong with a configuration, or nothing");
  add_sources(check);
  check->add_option("file", sources->file, "YAML configuration")->type_name("FILE");
  check->callback([sources, &action] {
    action.run = [sources](Context& context) {
      pipeline::check_config(config::load_config(*sources));
      if (context.json) {
        context.output.json(nlohmann::ordered_json{{"ok", true}});
      } else {
        context.output.report((sources->file.empty() ? "configuration" : sources->file) + ": ok\n");
      }
      return success;
    };
  });

  CLI::App* presets = command->add_subcommand("presets", "The ready-made configurations");
  presets->fallthrough();
  presets->callback([&action] {
    action.run = [](Context& context) {
      nlohmann::ordered_json list = nlohmann::ordered_json::array();
      for (const config::Preset& preset : config::presets()) {
        if (!context.json) context.output.result(fmt::format("# {}: {}\n{}\n", preset.name, preset.summary, preset.yaml));
        list.push_back({{"name", preset.name}, {"summary", preset.summary}, {"yaml", preset.yaml}});
      }
      if (context.json) context.output.json(nlohmann::ordered_json{{"presets", std::move(list)}});
      return success;
    };
  });
}

}  // namespace tuile::app
