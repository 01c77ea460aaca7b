#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "compute/cuda/available_devices.hpp"
#include "compute/cuda/batch_plan.hpp"
#include "compute/cuda/dispatch.hpp"
#include "compute/cuda/in_parallel.hpp"
#include "compute/cuda/tile_in_blocks.hpp"
#include "compute/cuda/whole_tiles.hpp"
#include "compute/cuda_registration.hpp"
#include "compute/host/heights.hpp"
#include "compute/tile_checks.hpp"

namespace tuile::compute::cuda {

namespace {

/// Page-locked memory cannot be swapped out: the rest of the machine needs some too.
PinnedMemory::Limits pinned_limits() {
  const std::uint64_t memory = available_memory();
  return {.most = memory / 2, .kept = memory / 8};
}

std::vector<std::unique_ptr<Device>> open_devices(const std::vector<int>& ids, const BackendOptions& options) {
  std::vector<std::unique_ptr<Device>> devices;
  std::string failures;
  for (const int id : ids) {
    const CurrentDevice current(id);
    try {
      devices.push_back(std::make_unique<Device>(id, options.on_device));
    } catch (const Error& error) {  // others may work
      failures += std::string(" [") + error.what() + "]";
    }
  }
  if (devices.empty()) {
    throw BackendUnavailable("backend 'cuda' cannot run: no CUDA device could be opened:" + failures + "; ask for 'cpu' or 'auto'");
  }
  return devices;
}

/// One call of compute.
class Call {
 public:
  Call(const CallContext& context, Dispatch& dispatch, std::uint64_t host_memory)
      : context_(context), dispatch_(dispatch), host_memory_(host_memory) {}

  std::vector<TileOutput> run(std::span<const TileInput> tiles, std::span<const std::unique_ptr<Device>> devices) {
    works_.resize(tiles.size());
    for (std::size_t i = 0; i < tiles.size(); ++i) prepare(tiles[i], works_[i]);
    const std::vector<PlannedBatch> batches = plan(devices);
    in_parallel(batches.size(), dispatch_.workers(), [&](std::size_t b) { run_batch(batches[b]); });
    std::vector<TileOutput> outputs;
    for (TileWork& work : works_) outputs.push_back(std::move(work.output));
    return outputs;
  }

 private:
  void prepare(const TileInput& input, TileWork& work) {
    work.input = &input;
    FeatureBlock& features = work.output.features;
    features.names = context_.plan.names();
    features.points = input.core->size();
    const std::size_t values = features.points * features.columns();
    features.values =
        input.spill_folder.empty() ? Buffer<float>(values, context_.pinned) : Buffer<float>::in_file(input.spill_folder, values);
    if (features.points > 0) with_points_.push_back(&work);
  }

  /// Batches of positions in with_points_. The memory of the device that has the least decides.
  std::vector<PlannedBatch> plan(std::span<const std::unique_ptr<Device>> devices) {
    BatchLimits limits{~std::uint64_t{0}, ~std::uint64_t{0}, 0};
    std::size_t working = 0;
    for (const auto& device : devices) {
      if (device->is_lost()) continue;
      limits.lane_bytes = std::min(limits.lane_bytes, device->lane_bytes());
      limits.device_bytes = std::min(limits.device_bytes, device->usable_bytes());
      ++working;
    }
    measure(devices, limits.device_bytes);
    limits.points = batch_points(needs_, std::max<std::size_t>(working, 1));
    return plan_batches(needs_, limits);
  }

  /// What a tile needs is the same on every device: the first that works is asked. device_bytes: what no device has more than
  void measure(std::span<const std::unique_ptr<Device>> devices, std::uint64_t device_bytes) {
    for (const auto& device : devices) {
      if (device->is_lost()) continue;
      const CurrentDevice current(device->id());
      try {
        std::vector<TileNeed> needs;
        for (const TileWork* work : with_points_) {
          const TileInput& input = *work->input;
          const std::uint64_t points = input.core->size() + (input.halo == nullptr ? 0 : input.halo->size());
          // More points than a batch can count need a device of more than there is.
          const std::uint64_t too_many = std::max(points * 256, device_bytes + 1);
          needs.push_back({points > most_batch_points ? too_many : whole_tile_bytes(input, context_), points});
        }
        needs_ = std::move(needs);
        return;
      } catch (const DeviceLost& lost) {
        device->drop(lost.what());
      }
    }
    bool moved = false;
    dispatch_.run(Share::lane, moved, [](Lane&) {});  // says that no device is left
  }

  void run_batch(const PlannedBatch& batch) {
    if (batch.block_points > 0) {
      run_in_blocks(batch.tiles.front(), batch.block_points);
    } else {
      run_whole(batch.tiles, batch.whole_device ? Share::device : Share::lane);
    }
  }

  /// Halves the batch until it fits, and at last cuts the tile.
  void run_whole(std::span<const std::size_t> tiles, Share share) {
    std::vector<TileWork*> works;
    for (const std::size_t t : tiles) works.push_back(with_points_[t]);
    // A lane that waits for a surface is one that another call cannot use.
    if (context_.plan.needs_ground() && !context_.preprocess.has_filters() && !dispatch_.any_free()) make_surfaces(works, context_);
    bool moved = false;
    const auto count_moved = [&] { dispatch_.counts().tiles_moved += moved ? works.size() : 0; };
    try {
      dispatch_.run(share, moved, [&](Lane& lane) { compute_on(lane, works, share); });
      return count_moved();
    } catch (const DeviceOutOfMemory&) {
      count_moved();
      if (tiles.size() == 1 && share == Share::lane) {
        // Beside others there was no room for it; by itself there may be.
        return run_whole(tiles, Share::device);
      }
    }
    if (tiles.size() == 1) return run_in_blocks(tiles.front(), needs_[tiles.front()].points / 2);
    ++dispatch_.counts().batches_halved;
    const std::size_t half = tiles.size() / 2;
    run_whole(tiles.first(half), Share::lane);
    run_whole(tiles.subspan(half), Share::lane);
  }

  void compute_on(Lane& lane, std::span<TileWork* const> works, Share share) {
    try {
      compute_whole_tiles(lane, works, context_);
    } catch (const DeviceOutOfMemory&) {
      if (share == Share::device) {
        lane.drain();  // what was leased and given back is free once the stream has come to it
        lane.device().measure_memory();
      }
      throw;
    }
  }

  void run_in_blocks(std::size_t tile, std::uint64_t points) {
    compute_in_blocks(*with_points_[tile], {.points = points, .memory = host_memory_}, context_, dispatch_);
    ++dispatch_.counts().tiles_in_blocks;
  }

  const CallContext& context_;
  Dispatch& dispatch_;
  const std::uint64_t host_memory_;
  std::vector<TileWork> works_;
  std::vector<TileWork*> with_points_;  ///< those that have something to be computed
  std::vector<TileNeed> needs_;         ///< of with_points_
};

class CudaBackend final : public Backend {
 public:
  CudaBackend(const std::vector<int>& ids, Executor& executor, const BackendOptions& options, HostFilter filter)
      : executor_(executor),
        options_(options),
        filter_(std::move(filter)),
        devices_(open_devices(ids, options)),
        pinned_(std::make_shared<PinnedMemory>(ids_of(devices_), pinned_limits())),
        lanes_(devices_) {}

  std::string name() const override { return backend_name; }
  MemoryCost memory_cost() const noexcept override { return {.surface = surface_bytes_per_ground_point}; }

  std::string description() const override {
    if (devices_.size() == 1) return "cuda, " + devices_.front()->name();
    std::string text = "cuda, " + std::to_string(devices_.size()) + " devices: ";
    for (const auto& device : devices_) text += (device == devices_.front() ? "" : ", ") + device->name();
    return text;
  }

  std::vector<TileOutput> compute(std::span<const TileInput> tiles, const features::FeaturePlan& plan, const Preprocess& preprocess,
                                  std::stop_token stop) override {
    for (const TileInput& tile : tiles) check_tile(tile);
    for (const TileInput& tile : tiles) refuse_too_many(tile);
    const CallContext context{plan, preprocess, executor_, stop, pinned_, filter_};
    Dispatch dispatch(lanes_, counts_, static_cast<std::size_t>(concurrency()), stop);
    return Call(context, dispatch, options_.memory).run(tiles, devices_);
  }

  int concurrency() const noexcept override { return static_cast<int>(devices_.size()) * Device::lane_count; }
  std::shared_ptr<HostMemory> host_memory() override { return pinned_; }

  BackendReport report() const override {
    BackendReport report;
    for (const auto& device : devices_) report.devices.push_back(device->report());
    report.batches_halved = counts_.batches_halved;
    report.tiles_in_blocks = counts_.tiles_in_blocks;
    report.tiles_moved = counts_.tiles_moved;
    return report;
  }

 private:
  static std::vector<int> ids_of(const std::vector<std::unique_ptr<Device>>& devices) {
    std::vector<int> ids;
    for (const auto& device : devices) ids.push_back(device->id());
    return ids;
  }

  Executor& executor_;
  const BackendOptions options_;
  const HostFilter filter_;
  std::vector<std::unique_ptr<Device>> devices_;
  const std::shared_ptr<PinnedMemory> pinned_;
  Lanes lanes_;
  WorkCounts counts_;
};

}  // namespace

std::unique_ptr<Backend> make_backend(Executor& executor, const BackendOptions& options, HostFilter filter) {
  const AvailableDevices devices = available_devices(options.devices);
  if (devices.ids.empty()) throw BackendUnavailable("backend 'cuda' cannot run: " + devices.reason);
  return std::make_unique<CudaBackend>(devices.ids, executor, options, std::move(filter));
}

}  // namespace tuile::compute::cuda
