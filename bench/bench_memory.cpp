#include <cmath>
#include <string>

#include "alternate.hpp"
#include "bench.hpp"
#include "child_process.hpp"
#include "pipeline_run.hpp"
#include "tuile/core/error.hpp"
#include "tuile/prefetch/tile_reader.hpp"

namespace tuile::bench {

namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t budget = 1024 * mebibyte, allowance = 256 * mebibyte;

/// Largest anonymous memory of a process with a budget of 1 GiB, against the budget and what it may take besides.
Row over_budget(const std::string& name, Workload& workload, const std::vector<std::string>& tiles, const std::string& what) {
  std::vector<std::string> arguments{"process", "-q", "--overwrite", "--memory", "1GiB", "-o", workload.fresh_folder("memory")};
  if (workload.options().threads > 0) arguments.insert(arguments.end(), {"--threads", std::to_string(workload.options().threads)});
  arguments.insert(arguments.end(), tiles.begin(), tiles.end());
  const ChildUsage usage = run_child(workload.options().program, arguments);
  return cost_row(name, {static_cast<double>(usage.peak_anonymous) / mebibyte}, "MiB anonymous at most, " + what,
                  "budget of 1 GiB + 256 MiB", {static_cast<double>(budget + allowance) / mebibyte}, 1.0);
}

/// What a tile takes in the cache.
struct Cached {
  double bytes_per_point = 0, bytes = 0;
};
Cached cached(const std::string& path, Executor& executor) {
  const FieldSet fields = features::make_plan(features::set_columns("lod2"), {features::Neighbourhood{}}).fields();
  prefetch::TileReader reader({.fields = fields}, executor);
  const prefetch::Tile tile = reader.load({path, std::nullopt}, {});
  if (tile.points.size() == 0) throw InvalidArgument(path + " has no points; give a tile to measure on");
  const auto bytes = static_cast<double>(tile.bytes());
  return {bytes / static_cast<double>(tile.points.size()), bytes};
}

Row amplification(const std::string& name, double factor, const std::string& what, double target) {
  return cost_row(name, {factor}, "points decoded / points in the input, " + what, "every point once", {1.0}, target);
}

}  // namespace

std::vector<Row> bench_memory(Workload& workload) {
  const std::vector<std::string>& grid = workload.small_tiles();
  const Cached tile = cached(grid.front(), workload.executor());
  Row per_point = cost_row("memory.cached_point", {tile.bytes_per_point}, "bytes in the cache for lod2", "1 byte", {1.0}, 40);
  const pipeline::RunSummary run = run_pipeline(workload, grid, workload.fresh_folder("grid"), [&](config::Config& config) {
    config.memory.budget = static_cast<std::uint64_t>(6 * tile.bytes);
  });
  std::vector<Row> rows{
      per_point, amplification("memory.decode_amplification_laz", run.decode_amplification(), "10 x 10 LAZ tiles in the bytes of 6", 2.0)};
  rows.push_back(over_budget("memory.over_budget", workload, workload.tiles(), std::to_string(workload.tiles().size()) + " tiles"));
  rows.push_back(over_budget("memory.over_budget_large_tile", workload, {workload.large_tile()},
                             "one tile of " + std::to_string(std::lround(workload.sizes().large)) + " M points"));
  return rows;
}

Row bench_copc_amplification(Workload& workload) {
  const std::vector<std::string>& tiles = workload.options().copc;
  const std::string output = workload.fresh_folder("copc");
  // Grids of COPC tiles at hand are small: with the bytes of six there would be room for all.
  const int room = tiles.size() >= 100 ? 6 : 1;
  const Cached tile = cached(tiles.front(), workload.executor());
  const pipeline::RunSummary run = run_pipeline(
      workload, tiles, output, [&](config::Config& config) { config.memory.budget = static_cast<std::uint64_t>(room * tile.bytes); });
  return amplification("memory.decode_amplification_copc", run.decode_amplification(),
                       std::to_string(tiles.size()) + " adjoining COPC tiles in the bytes of " + std::to_string(room), 1.3);
}

}  // namespace tuile::bench
