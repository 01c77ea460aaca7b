#include <string>

#include "alternate.hpp"
#include "bench.hpp"
#include "compute/cpu/point_tree.hpp"
#include "peer.hpp"

namespace tuile::bench {

namespace {

/// The search tree of all points, their records included: nanoflann has its points in memory, too.
void build(const PointBlock& points, Executor& executor) {
  Buffer<compute::cpu::Record> records(points.size());
  for (std::size_t i = 0; i < points.size(); ++i)
    records[i] = {points.units[i].x, points.units[i].y, points.units[i].z, static_cast<std::uint32_t>(i)};
  const compute::cpu::PointTree tree(std::move(records), executor, {});
}

std::string threads_text(int threads) { return threads == 1 ? "one thread" : std::to_string(threads) + " threads"; }

}  // namespace

std::vector<Row> bench_tree(const PointBlock& points, Executor& executor, int runs) {
  const Peer peer(points);
  Executor one(1);
  const int threads = executor.threads(), their_threads = Peer::build_threads(threads);
  const std::vector<Times> times = alternate(
      runs, {[&] { peer.build(1); }, [&] { build(points, one); }, [&] { peer.build(their_threads); }, [&] { build(points, executor); }});
  const double millions = 1e-6 * static_cast<double>(points.size());
  return {
      speed_row("tree.one_thread", millions, "M points/s on one thread", times[1], "nanoflann's index, one thread", times[0], std::nullopt),
      speed_row("tree.all_threads", millions, "M points/s on " + threads_text(threads), times[3],
                "nanoflann's index, " + threads_text(their_threads), times[2], std::nullopt)};
}

}  // namespace tuile::bench
