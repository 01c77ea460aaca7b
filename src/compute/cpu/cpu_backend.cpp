#include "compute/cpu/cpu_backend.hpp"

#include <algorithm>

#include "compute/cpu/kernels.hpp"
#include "compute/cpu/tile_run.hpp"
#include "tuile/core/error.hpp"

namespace tuile::compute {

namespace {

class CpuBackend final : public Backend {
 public:
  CpuBackend(Executor& executor, const BackendOptions& options) : kernels_(select_kernels()), executor_(executor), options_(options) {}

  std::string name() const override { return "cpu"; }
  std::string description() const override {
    return std::string("cpu, ") + kernels_.name + ", " + std::to_string(executor_.threads()) +
           (executor_.threads() == 1 ? " thread" : " threads");
  }

  std::vector<TileOutput> compute(std::span<const TileInput> tiles, const features::FeaturePlan& plan, const Preprocess& preprocess,
                                  std::stop_token stop) override {
    for (const TileInput& tile : tiles) check(tile);
    std::vector<TileOutput> outputs(tiles.size());
    // Of several tiles each gets its share; of a limit something is left, for 0 would be none.
    const std::uint64_t memory = options_.memory == 0 ? 0 : options_.memory / std::max<std::size_t>(tiles.size(), 1) + 1;
    const RunContext context{plan, preprocess, kernels_, executor_, stop, memory};
    executor_.for_each(tiles.size(), [&](std::size_t i) { outputs[i] = run_tile(tiles[i], context); });
    return outputs;
  }

 private:
  static void check(const TileInput& tile) {
    if (tile.core == nullptr) throw InvalidArgument("a tile without core points was given; TileInput.core must not be null");
    if (tile.halo != nullptr && !(tile.halo->grid == tile.core->grid)) {
      throw InvalidArgument("core and halo lie on different grids; regrid the halo to the core's scale and origin first");
    }
    if (!(tile.core->grid.scale > 0)) {
      throw InvalidArgument("the grid's scale is " + std::to_string(tile.core->grid.scale) + "; metres per unit above 0 are expected");
    }
    for (const PointBlock* block : {tile.core, tile.halo}) {
      if (block != nullptr && block->classification.size() != block->size()) {
        throw InvalidArgument("a block of " + std::to_string(block->size()) + " points has " +
                              std::to_string(block->classification.size()) + " classes; one per point is expected");
      }
    }
  }

  const Kernels& kernels_;
  Executor& executor_;
  const BackendOptions options_;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(Executor& executor, const BackendOptions& options) {
  return std::make_unique<CpuBackend>(executor, options);
}

}  // namespace tuile::compute
