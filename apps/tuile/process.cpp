#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "command.hpp"
#include "tuile/config/load.hpp"
#include "tuile/core/error.hpp"
#include "tuile/pipeline/lidar_processor.hpp"

namespace tuile::app {

namespace {

struct ProcessArguments {
  std::vector<std::string> inputs, set;
  std::string config_file, preset, shard, bbox;
  std::vector<config::Flag> flags;
  bool no_async = false, overwrite = false, fail_fast = false, dry_run = false;
};

pipeline::ProcessOptions options_of(const ProcessArguments& arguments, Context& context) {
  std::vector<config::Flag> flags = arguments.flags;
  for (const std::string& input : arguments.inputs) flags.push_back({"input", input, "INPUT"});
  if (arguments.no_async) flags.push_back({"prefetch.workers", "0", "--no-async"});
  pipeline::ProcessOptions options;
  options.config = config::load_config({.preset = arguments.preset, .file = arguments.config_file, .set = arguments.set, .flags = flags});
  if (!arguments.shard.empty()) options.shard = catalog::parse_shard(arguments.shard);
  if (!arguments.bbox.empty()) options.bbox = parse_bbox(arguments.bbox);
  options.overwrite = arguments.overwrite;
  options.fail_fast = arguments.fail_fast;
  options.stop = context.stop;
  options.warn = [&console = context.console](const std::string& text) { console.warn(text); };
  return options;
}

std::string progress_line(const pipeline::Progress& p) {
  const std::size_t ended = p.done + p.failed + p.skipped;
  const double rate = p.seconds > 0 ? static_cast<double>(p.points) / p.seconds : 0;
  const std::size_t worked = ended - p.skipped;
  const double left = worked > 0 ? p.seconds / static_cast<double>(worked) * static_cast<double>(p.total - ended) : 0;
  const std::size_t width = 24;
  const std::size_t filled = p.total > 0 ? width * ended / p.total : width;
  std::string line =
      fmt::format("[{}{}] {}/{} tiles  {:.2f} M points/s  {:02d}:{:02d} left", std::string(filled, '#'), std::string(width - filled, '.'),
                  ended, p.total, 1e-6 * rate, static_cast<int>(left) / 60, static_cast<int>(left) % 60);
  if (p.failed > 0) line += fmt::format("  {} failed", p.failed);
  if (!p.waiting_for.empty()) line += "  waits for " + p.waiting_for;
  return line;
}

int dry_run(pipeline::LidarProcessor& processor, const Context& context) {
  const pipeline::PlanSummary plan = processor.plan();
  if (context.json) {
    nlohmann::ordered_json tiles = nlohmann::ordered_json::array(), failed = nlohmann::ordered_json::array();
    for (const auto& t : plan.tiles) {
      tiles.push_back({{"path", t.path}, {"output", t.output}, {"points", t.points}, {"neighbours", t.neighbours}, {"done", t.done}});
    }
    for (const auto& f : plan.failed) failed.push_back({{"path", f.path}, {"message", f.message}});
    const nlohmann::ordered_json json{{"backend", plan.backend},
                                      {"backend_reason", plan.backend_reason},
                                      {"columns", plan.columns},
                                      {"threads", plan.threads},
                                      {"workers", plan.workers},
                                      {"ahead", plan.ahead},
                                      {"batch", plan.batch},
                                      {"memory_budget", plan.memory_budget},
                                      {"memory_needed", plan.memory_needed},
                                      {"tiles", tiles},
                                      {"failed", failed},
                                      {"notes", plan.notes}};
    context.output.json(json);
  } else {
    std::string text;
    text += fmt::format("backend {}; {} computing threads, {} I/O workers, {} tiles ahead, batches of {}\n", plan.backend, plan.threads,
                        plan.workers, plan.ahead, plan.batch);
    if (!plan.backend_reason.empty()) text += fmt::format("backend auto: {}\n", plan.backend_reason);
    text += fmt::format("columns: {}\n", fmt::join(plan.columns, ", "));
    text += fmt::format("memory: budget {:.0f} MiB, of which compute, writing and border strips need {:.0f} MiB\n",
                        static_cast<double>(plan.memory_budget) / (1 << 20), static_cast<double>(plan.memory_needed) / (1 << 20));
    for (const auto& t : plan.tiles) {
      text += fmt::format("{} {} -> {}.* ({} points, {} neighbours)\n", t.done ? "done " : "to do", t.path, t.output, t.points,
                          t.neighbours.size());
      for (const std::string& n : t.neighbours) text += fmt::format("        halo from {}\n", n);
    }
    for (const auto& f : plan.failed) text += fmt::format("fails {}\n", f.message);
    for (const std::string& note : plan.notes) text += fmt::format("note: {}\n", note);
    context.output.result(text);
  }
  return plan.failed.empty() ? success : some_failed;
}

int process(const ProcessArguments& arguments, Context& context) {
  pipeline::ProcessOptions options = options_of(arguments, context);
  options.progress = [&console = context.console](const pipeline::Progress& p) { console.progress(progress_line(p)); };
  const std::string output = options.config.output;
  pipeline::LidarProcessor processor(std::move(options));
  if (arguments.dry_run) return dry_run(processor, context);
  const pipeline::RunSummary summary = processor.process();
  context.console.progress("");
  if (context.json) {
    context.output.result(pipeline::to_json(summary) + "\n");
  } else {
    context.console.info(pipeline::to_text(summary) + "outputs are in " + output);
  }
  if (summary.interrupted) return interrupted;
  return summary.failed.empty() ? success : some_failed;
}

}  // namespace

void add_process(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<ProcessArguments>();
  CLI::App* command = app.add_subcommand("process", "Compute features of tiles: the main job");
  command->footer(
      "Example:\n  tuile process tiles/ -o out --features lod2 --formats npz,laz\n"
      "Tiles already done are skipped: after an interruption the same command goes on.\n"
      "Exit status: 0 all done, 1 some tiles failed, 2 wrong usage or configuration, 3 backend cannot run here, 130 interrupted.");
  command->add_option("input", arguments->inputs, "Files, folders, globs, http(s) URLs, or @list.txt")->type_name("INPUT");
  command->add_option("-c,--config", arguments->config_file, "YAML configuration")->type_name("FILE");
  command->add_option("--preset", arguments->preset, "A ready-made configuration (tuile config presets)")->type_name(words_of_presets());
  command->add_option("--set", arguments->set, "A key of the configuration, e.g. features.k=30; repeatable")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  const auto add_flag = [&](const std::string& names, const std::string& key, const std::string& option, const std::string& takes,
                            const std::string& help) {
    command
        ->add_option_function<std::string>(
            names,
            [arguments, key, option](const std::string& value) {
              arguments->flags.push_back({key, value, option});
            },
            help)
        ->type_name(takes);
  };
  add_flag("-o,--output", "output", "--output", "DIR", "Output folder (default: out)");
  add_flag("--backend", "backend", "--backend", words_of_key("backend"), "What computes");
  add_flag("--features", "features.set", "--features", words_of_key("features.set", "FEATURE,..."),
           "The columns: a set, or names separated by commas");
  add_flag("--k", "features.k", "--k", "N", "Neighbours, the point itself included");
  add_flag("--radius", "features.radius", "--radius", "M", "All neighbours within so many metres");
  add_flag("--halo", "halo", "--halo", "M", "Band of the neighbouring tiles, metres");
  add_flag("--ground-truth", "ground_truth.source", "--ground-truth", "none|wfs|FILE",
           "Source of labels; FILE is a vector file or a folder of such");
  add_flag("--formats", "write.formats", "--formats", words_of_key("write.formats") + ",...", "What is written besides the sidecar");
  add_flag("--memory", "memory.budget", "--memory", "SIZE", "Memory budget, e.g. 4GiB");
  add_flag("--workers", "prefetch.workers", "--workers", "N", "I/O threads");
  add_flag("--batch", "batch.size", "--batch", "N", "Tiles computed together");
  add_flag("--threads", "threads", "--threads", "N", "Computing threads");
  add_flag("--trace", "trace", "--trace", "FILE", "Chrome trace of the run, for Perfetto");
  command->add_flag("--no-async", arguments->no_async, "Load, compute and write one after the other: the baseline");
  command->add_option("--bbox", arguments->bbox, "Metres: only points inside are written")->type_name("X0,Y0,X1,Y1");
  command->add_option("--shard", arguments->shard, "The I-th of N parts of the tiles, I from 0")->type_name("I/N");
  command->add_flag("--overwrite", arguments->overwrite, "Do tiles again that are done");
  command->add_flag("--fail-fast", arguments->fail_fast, "Stop at the first tile that fails");
  command->add_flag("--dry-run", arguments->dry_run, "Print the plan, its memory and neighbours");
  command->callback([arguments, &action] { action = {[arguments](Context& context) { return process(*arguments, context); }, true}; });
}

}  // namespace tuile::app
