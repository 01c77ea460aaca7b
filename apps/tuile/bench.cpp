#include "bench.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "tuile/catalog/inputs.hpp"
#include "tuile/core/error.hpp"
#include "tuile/las/decode.hpp"
#include "tuile/source/byte_source.hpp"
#include "tuile/synth/town.hpp"

namespace fs = std::filesystem;

namespace tuile::app {

namespace {

struct BenchArguments {
  std::string what = "all";
  std::vector<std::string> inputs;
  int runs = 5, threads = 0, tiles = 4;
  double points = 1.0;  ///< millions, per synthetic tile
};

/// The tiles to measure on: those given, or a synthetic town that goes with this object.
class Tiles {
 public:
  Tiles(const BenchArguments& arguments, Executor& executor) {
    if (!arguments.inputs.empty()) {
      for (const catalog::InputFile& file : catalog::expand_inputs(arguments.inputs)) paths_.push_back(file.path);
      return;
    }
    folder_ = fs::temp_directory_path() / ("tuile-bench-town-" + std::to_string(::getpid()));
    synth::TownOptions town;
    town.tiles_x = arguments.tiles;
    town.tiles_y = 1;
    town.density = 20;
    town.size = std::round(std::sqrt(1e6 * arguments.points / town.density));
    town.point_format = 8;
    paths_ = synth::write_town(town, folder_.string(), executor);
  }
  ~Tiles() {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
  const std::vector<std::string>& paths() const noexcept { return paths_; }

 private:
  fs::path folder_;
  std::vector<std::string> paths_;
};

PointBlock load(const std::string& path, Executor& executor) {
  try {
    const auto source = source::open_file(path);
    const las::FileInfo info = las::read_info(*source);
    return las::decode(source::read_all(*source).span(), info, {}, executor).points;
  } catch (const Error& error) {
    rethrow_at(error, path);
  }
}

void print(const std::vector<bench::Row>& rows, bool json) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const bench::Row& row : rows) {
    list.push_back({{"name", row.name},
                    {"value", row.value},
                    {"unit", row.unit},
                    {"baseline_name", row.baseline_name},
                    {"baseline", row.baseline},
                    {"ratio", row.ratio},
                    {"target", row.target},
                    {"better", row.higher_is_better ? "higher" : "lower"},
                    {"met", row.met()},
                    {"runs", row.runs}});
    if (!json) {
      fmt::print("{:<32} {:>9.3f} {}\n{:<32} {:>9.3f} {}\n{:<32} {:>9.3f} (target {} {:.2f}: {}; median of {})\n", row.name, row.value,
                 row.unit, "  baseline", row.baseline, row.baseline_name, "  ratio", row.ratio,
                 row.higher_is_better ? ">=" : "<=", row.target, row.met() ? "met" : "missed", row.runs);
    }
  }
  if (json) std::puts(nlohmann::ordered_json{{"rows", std::move(list)}}.dump(2).c_str());
}

int measure(const BenchArguments& arguments, Context& context) {
  Executor executor(arguments.threads);
  const Tiles tiles(arguments, executor);
  if (tiles.paths().empty()) throw ConfigError("bench: no tile to measure on");
  const auto wanted = [&](const char* what) { return arguments.what == "all" || arguments.what == what; };
  std::vector<bench::Row> rows;
  const auto add = [&](std::vector<bench::Row> more) { rows.insert(rows.end(), more.begin(), more.end()); };
  if (wanted("decode")) rows.push_back(bench::bench_decode(tiles.paths(), executor, arguments.runs));
  if (wanted("features")) add(bench::bench_features(load(tiles.paths().front(), executor), executor, arguments.runs));
  if (wanted("labels")) rows.push_back(bench::bench_labels(load(tiles.paths().front(), executor), executor, arguments.runs));
  if (wanted("pipeline")) {
    add(bench::bench_pipeline(tiles.paths(), arguments.threads, arguments.runs));
    rows.push_back(bench::bench_preload_call());
  }
  print(rows, context.json);
  return success;
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<BenchArguments>();
  CLI::App* command = app.add_subcommand("bench", "Measure on tiles given or synthetic, each figure beside a baseline of the same run");
  command->footer("Example:\n  tuile bench features tiles/a.laz --runs 5");
  command->add_option("what", arguments->what, "decode, features, labels, pipeline or all (default)")
      ->check(CLI::IsMember({"decode", "features", "labels", "pipeline", "all"}));
  command->add_option("input", arguments->inputs, "Tiles (features, labels: the first of them); none: a synthetic town");
  command->add_option("--runs", arguments->runs, "Alternating runs whose median counts (default 5)")->check(CLI::Range(1, 1000));
  command->add_option("--threads", arguments->threads, "Computing threads (default: all)")->check(CLI::Range(0, 4096));
  command->add_option("--tiles", arguments->tiles, "Synthetic tiles (default 4)")->check(CLI::Range(1, 1000));
  command->add_option("--points", arguments->points, "Millions of pulses per synthetic tile (default 1)")->check(CLI::Range(0.01, 100.0));
  command->callback([arguments, &action] { action.run = [arguments](Context& context) { return measure(*arguments, context); }; });
}

}  // namespace tuile::app
