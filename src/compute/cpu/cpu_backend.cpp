#include "compute/cpu/cpu_backend.hpp"

#include <algorithm>

#include "compute/cpu/kernels.hpp"
#include "compute/cpu/tile_run.hpp"
#include "compute/cpu/tree_walk.hpp"
#include "compute/host/heights.hpp"
#include "compute/tile_checks.hpp"

namespace tuile::compute::cpu {

namespace {

class CpuBackend final : public Backend {
 public:
  CpuBackend(Executor& executor, const BackendOptions& options) : kernels_(select_kernels()), executor_(executor), options_(options) {}

  std::string name() const override { return backend_name; }
  MemoryCost memory_cost() const noexcept override {
    return {.search = search_bytes_per_point, .filter = filter_bytes_per_point, .surface = surface_bytes_per_ground_point};
  }
  std::string description() const override {
    return std::string("cpu, ") + kernels_.name + ", " + std::to_string(executor_.threads()) +
           (executor_.threads() == 1 ? " thread" : " threads");
  }

  std::vector<TileOutput> compute(std::span<const TileInput> tiles, const features::FeaturePlan& plan, const Preprocess& preprocess,
                                  std::stop_token stop) override {
    for (const TileInput& tile : tiles) check_tile(tile);
    std::vector<TileOutput> outputs(tiles.size());
    // Of several tiles each gets its share; of a limit something is left, for 0 would be none.
    const std::uint64_t memory = options_.memory == 0 ? 0 : options_.memory / std::max<std::size_t>(tiles.size(), 1) + 1;
    const RunContext context{plan, preprocess, kernels_, executor_, stop, memory};
    executor_.for_each(tiles.size(), [&](std::size_t i) { outputs[i] = run_tile(tiles[i], context); });
    return outputs;
  }

 private:
  const Kernels& kernels_;
  Executor& executor_;
  const BackendOptions options_;
};

}  // namespace

std::unique_ptr<Backend> make_backend(Executor& executor, const BackendOptions& options) {
  return std::make_unique<CpuBackend>(executor, options);
}

}  // namespace tuile::compute::cpu
