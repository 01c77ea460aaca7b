#include <cmath>
#include <memory>
#include <string>

#include "alternate.hpp"
#include "bench.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/las/decode.hpp"
#include "tuile/source/byte_source.hpp"
#include "workload.hpp"

namespace tuile::bench {

namespace {

/// 1, 2, 4 … and all.
std::vector<int> thread_counts(int most) {
  std::vector<int> counts;
  for (int threads = 1; threads < most; threads *= 2) counts.push_back(threads);
  counts.push_back(most);
  return counts;
}

/// The rows of one piece of work over numbers of threads: each against one thread, 1.9 times per doubling wanted.
template <class Work>
void scale(const std::string& what, double millions, const std::vector<std::unique_ptr<Executor>>& executors, int runs, Work&& work,
           std::vector<Row>& rows) {
  std::vector<std::function<void()>> works;
  for (const auto& executor : executors) works.emplace_back([&work, &executor] { work(*executor); });
  const std::vector<Times> times = alternate(runs, works);
  for (std::size_t i = 1; i < executors.size(); ++i) {
    const int threads = executors[i]->threads();
    rows.push_back(speed_row("scaling." + what + "_" + std::to_string(threads) + "_threads", millions, "M points/s", times[i], "one thread",
                             times[0], std::pow(1.9, std::log2(threads))));
  }
}

}  // namespace

std::vector<Row> bench_scaling(const PointBlock& points, const std::string& tile_path, Executor& executor, int runs) {
  std::vector<std::unique_ptr<Executor>> executors;
  for (const int threads : thread_counts(executor.threads())) executors.push_back(std::make_unique<Executor>(threads));
  std::vector<Row> rows;

  const features::FeaturePlan plan = neighbourhood_plan("lod2", {});
  compute::TileInput tile;
  tile.core = &points;
  const double millions = 1e-6 * static_cast<double>(points.size());
  scale(
      "features", millions, executors, runs,
      [&](Executor& some) {
        compute::make_backend("cpu", some)->compute({&tile, 1}, plan, {}, {});
      },
      rows);

  const auto source = source::open_file(tile_path);
  const las::FileInfo info = las::read_info(*source);
  const Buffer<std::byte> bytes = source::read_all(*source);
  scale(
      "decode", millions, executors, runs,
      [&](Executor& some) {
        las::decode(bytes.span(), info, {.fields = FieldSet{}.with(Field::rgb), .bbox = std::nullopt, .stop = {}}, some);
      },
      rows);

  // An eighth of the points, the first in the file: what a point costs should not grow with their number.
  const std::size_t part_size = std::max<std::size_t>(1, points.size() / 8);
  std::vector<std::uint32_t> picks(part_size);
  for (std::size_t i = 0; i < part_size; ++i) picks[i] = static_cast<std::uint32_t>(i);
  const PointBlock part = select(points, picks);
  compute::TileInput part_tile;
  part_tile.core = &part;
  const auto backend = compute::make_backend("cpu", executor);
  const auto [all_times, part_times] = alternate(
      runs,
      [&] {
        backend->compute({&tile, 1}, plan, {}, {});
      },
      [&] {
        backend->compute({&part_tile, 1}, plan, {}, {});
      });
  const auto per_point = [](const Times& times, std::size_t count) {
    std::vector<double> values;
    for (const double seconds : times.all) values.push_back(1e9 * seconds / static_cast<double>(count));
    return values;
  };
  rows.push_back(cost_row("scaling.features_points", per_point(all_times, points.size()), "ns per point, all points of the tile",
                          "the first eighth of the points", per_point(part_times, part_size), std::nullopt));
  return rows;
}

}  // namespace tuile::bench
