// Neighbour search and tree construction, one thread.
#include <benchmark/benchmark.h>

#include "micro/cloud.hpp"
#include "micro/register.hpp"

namespace tuile::micro {

namespace {

constexpr std::size_t point_count = 200'000;

Buffer<compute::cpu::Record> buffer_of(const std::vector<compute::cpu::Record>& records) {
  Buffer<compute::cpu::Record> buffer(records.size());
  std::copy(records.begin(), records.end(), buffer.data());
  return buffer;
}

const compute::cpu::PointTree& tree() {
  static Executor executor(1);
  static const compute::cpu::PointTree built(buffer_of(town_records(point_count)), executor, {});
  return built;
}

void search(benchmark::State& state, const compute::cpu::Kernels& kernels, const compute::Search& what) {
  const compute::cpu::TreeView view = tree().view();
  compute::ScratchMemory memory;
  compute::cpu::Batch batch{};
  for (auto _ : state) {
    for (const std::uint32_t node : tree().groups()) {
      const std::uint32_t first = view.nodes[node].first * compute::cpu::bucket_size,
                          slots = view.nodes[node].count * compute::cpu::bucket_size;
      std::uint64_t queries = 0;
      for (std::uint32_t i = 0; i < slots; ++i) queries |= std::uint64_t{view.records[first + i].index != compute::cpu::no_point} << i;
      benchmark::DoNotOptimize(kernels.search(view, node, what, queries, memory.view(), batch));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(point_count));
}

void build(benchmark::State& state) {
  const std::vector<compute::cpu::Record> records = town_records(static_cast<std::size_t>(state.range(0)));
  Executor executor(1);
  for (auto _ : state) {
    const compute::cpu::PointTree built(buffer_of(records), executor, {});
    benchmark::DoNotOptimize(built.slots());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

}  // namespace

void register_search() {
  for (const Version& version : versions()) {
    for (const std::uint32_t k : {10U, 20U, 50U}) {
      benchmark::RegisterBenchmark(("search/k" + std::to_string(k) + "/" + version.name).c_str(), [version, k](benchmark::State& state) {
        search(state, *version.kernels, {.most = k});
      })->Unit(benchmark::kMillisecond);
    }
    benchmark::RegisterBenchmark((std::string("search/radius_1m/") + version.name).c_str(), [version](benchmark::State& state) {
      search(state, *version.kernels, {.most = 200, .bounded = true, .limit = 10'000});
    })->Unit(benchmark::kMillisecond);
  }
  benchmark::RegisterBenchmark("tree/build", build)->Arg(20'000)->Arg(200'000)->Arg(2'000'000)->Unit(benchmark::kMillisecond);
}

}  // namespace tuile::micro
