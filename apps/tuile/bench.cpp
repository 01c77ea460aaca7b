#include <fmt/chrono.h>
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "command.hpp"
#include "results.hpp"
#include "suite.hpp"
#include "tuile/catalog/inputs.hpp"
#include "tuile/core/version.hpp"

namespace fs = std::filesystem;

namespace tuile::app {

namespace {

struct BenchArguments {
  std::string what = "all", commit;
  std::vector<std::string> inputs, copc;
  bool quick = false, full = false;
  std::optional<std::string> results;
  std::optional<int> runs, tiles;
  std::optional<double> points, large;  ///< millions
  int threads = 0;
};

bench::Sizes sizes_of(const BenchArguments& arguments) {
  bench::Sizes sizes = arguments.quick ? bench::Sizes::quick() : arguments.full ? bench::Sizes::full() : bench::Sizes();
  if (arguments.runs) sizes.runs = sizes.pipeline_runs = *arguments.runs;
  if (arguments.tiles) sizes.tiles = *arguments.tiles;
  if (arguments.points) sizes.points = *arguments.points;
  if (arguments.large) sizes.large = *arguments.large;
  return sizes;
}

std::vector<std::string> paths_of(const std::vector<std::string>& inputs) {
  std::vector<std::string> paths;
  if (inputs.empty()) return paths;
  for (const catalog::InputFile& file : catalog::expand_inputs(inputs)) paths.push_back(file.path);
  return paths;
}

std::string text_of(const bench::Row& row) {
  const std::string target =
      row.target ? fmt::format("target {} {:.2f}: {}", row.higher_is_better ? ">=" : "<=", *row.target, row.met() ? "met" : "missed")
                 : std::string("no target");
  const std::string spread = row.spread ? fmt::format(", {:.3f} to {:.3f}", row.spread->low, row.spread->high) : std::string();
  return fmt::format("{:<34} {:>10.3f} {}\n{:<34} {:>10.3f} {}\n{:<34} {:>10.3f} ({}; median of {}{})\n", row.name, row.value, row.unit,
                     "  baseline", row.baseline, row.baseline_name, "  ratio", row.ratio, target, row.runs, spread);
}

int measure(const BenchArguments& arguments, Context& context) {
  bench::WorkloadOptions options;
  options.sizes = sizes_of(arguments);
  options.threads = arguments.threads;
  options.tiles = paths_of(arguments.inputs);
  options.copc = paths_of(arguments.copc);
  options.program = fs::read_symlink("/proc/self/exe").string();
  options.log = [&](const std::string& line) { context.console.detail(line); };
  bench::Workload workload(std::move(options));
  const bench::ResultsHead head{version(), arguments.commit, fmt::format("{:%FT%TZ}", fmt::gmtime(std::time(nullptr))),
                                bench::this_machine(), workload.sizes()};
  // Filed row by row: what takes a quarter of an hour may be cut short.
  bench::Outcome so_far;
  const bench::Outcome outcome = bench::run_suite(workload, arguments.what, [&](const bench::Row& row) {
    if (!context.json) context.output.result(text_of(row));
    so_far.rows.push_back(row);
    if (arguments.results) bench::write_results(*arguments.results, head, so_far);
  });
  for (const bench::LeftOut& what : outcome.left_out) context.console.warn(what.what + " was left out: " + what.reason);
  if (context.json) context.output.result(bench::rows_json(outcome) + "\n");
  if (arguments.results) {
    const fs::path path = bench::write_results(*arguments.results, head, outcome);
    context.console.info("the results are " + path.string());
  }
  return outcome.failed ? some_failed : success;
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<BenchArguments>();
  CLI::App* command = app.add_subcommand("bench", "Measure on tiles given or synthetic, each figure beside a baseline of the same run");
  command->footer("Example:\n  tuile bench features tiles/a.laz --runs 5");
  std::string words;
  for (const std::string& word : bench::choices()) words += (words.empty() ? "" : "|") + word;
  command->add_option("what", arguments->what, "A group of measurements (default all)")
      ->type_name(words)
      ->check(CLI::Validator(CLI::IsMember(bench::choices())).description(""));
  command->add_option("input", arguments->inputs, "Tiles (single steps: the first of them); none: a synthetic town")->type_name("INPUT");
  command->add_option("--copc", arguments->copc, "Adjoining COPC tiles, for the row that wants such")->type_name("INPUT");
  CLI::Option* quick =
      command->add_flag("--quick", arguments->quick, "Small sizes: a look at all rows within two minutes, too noisy to cite");
  command->add_flag("--full", arguments->full, "The sizes of the targets: 20 tiles of 2 million points, one of 33")->excludes(quick);
  command->add_option("--runs", arguments->runs, "Alternating runs whose median counts (default 5, of whole pipelines 3)")
      ->type_name("N")
      ->check(CLI::Validator(CLI::Range(1, 1000)).description(""));
  command->add_option("--threads", arguments->threads, "Computing threads (default: all)")
      ->type_name("N")
      ->check(CLI::Validator(CLI::Range(0, 4096)).description(""));
  command->add_option("--tiles", arguments->tiles, "Synthetic tiles (default 6)")
      ->type_name("N")
      ->check(CLI::Validator(CLI::Range(1, 1000)).description(""));
  command->add_option("--points", arguments->points, "Millions of points per synthetic tile (default 0.7)")
      ->type_name("N")
      ->check(CLI::Validator(CLI::Range(0.01, 100.0)).description(""));
  command->add_option("--large", arguments->large, "Millions of points of the tile that the budget does not hold (default 4)")
      ->type_name("N")
      ->check(CLI::Validator(CLI::Range(0.01, 1000.0)).description(""));
  command->add_option("--results", arguments->results, "Folder for a JSON file of the rows, the machine and the versions")
      ->type_name("DIR");
  command->add_option("--commit", arguments->commit, "What the results file says of the source's commit")->type_name("TEXT");
  command->callback([arguments, &action] { action.run = [arguments](Context& context) { return measure(*arguments, context); }; });
}

}  // namespace tuile::app
