#include "backend_runs.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <thread>

#include "compute/cuda/whole_tiles.hpp"
#include "device.hpp"
#include "town.hpp"
#include "tuile/compute/backend.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::gpu_check {

namespace {

using Clock = std::chrono::steady_clock;
using compute::Backend;
using compute::DeviceReport;
using compute::DeviceSpan;
using compute::TileInput;
using features::FeaturePlan;

constexpr int different_tiles = 4;

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

FeaturePlan lod2() { return features::make_plan(features::set_columns("lod2"), {{.k = 20}}); }

/// lod2 without what the host triangulates: so that the device is what tiles wait for.
FeaturePlan lod2_of_the_device() {
  std::vector<std::string> columns = features::set_columns("lod2");
  std::erase(columns, "height_above_ground");
  return features::make_plan(columns, {{.k = 20}});
}

TileInput input_of(const PointBlock& block) {
  TileInput tile;
  tile.core = &block;
  return tile;
}

/// What devices did, as the backend tells it.
class Spans {
 public:
  void add(const DeviceSpan& span) {
    const MutexLock lock(mutex_);
    spans_.push_back(span);
  }
  void clear() {
    const MutexLock lock(mutex_);
    spans_.clear();
  }
  /// Seconds between begin and end in which something of this kind ran.
  double busy(const char* what, Clock::time_point begin, Clock::time_point end) const {
    std::vector<std::pair<Clock::time_point, Clock::time_point>> parts;
    {
      const MutexLock lock(mutex_);
      for (const DeviceSpan& span : spans_) {
        if (std::strcmp(span.what, what) == 0 && span.begin < end && begin < span.end) {
          parts.emplace_back(std::max(span.begin, begin), std::min(span.end, end));
        }
      }
    }
    std::sort(parts.begin(), parts.end());
    double sum = 0;
    Clock::time_point reached = begin;
    for (const auto& [from, to] : parts) {
      if (to <= reached) continue;
      sum += seconds(to - std::max(from, reached));
      reached = to;
    }
    return sum;
  }

 private:
  mutable Mutex mutex_;
  std::vector<DeviceSpan> spans_ GUARDED_BY(mutex_);
};

/// Computes tiles in as many threads as the backend takes calls. Returns when each was done, in that order.
std::vector<Clock::time_point> compute_tiles(Backend& backend, const std::vector<PointBlock>& blocks, const FeaturePlan& plan, int tiles) {
  Guarded<std::vector<Clock::time_point>> done;
  Guarded<std::exception_ptr> failure;
  std::atomic<int> next{0};
  const auto work = [&] {
    try {
      for (int i = next++; i < tiles; i = next++) {
        const TileInput tile = input_of(blocks[static_cast<std::size_t>(i) % blocks.size()]);
        const auto outputs = backend.compute({&tile, 1}, plan, {}, {});
        done.with([](std::vector<Clock::time_point>& times) { times.push_back(Clock::now()); });
      }
    } catch (...) {
      next = tiles;
      failure.with([](std::exception_ptr& last) { last = std::current_exception(); });
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < backend.concurrency(); ++i) threads.emplace_back(work);
  }
  if (const std::exception_ptr last = failure.take()) std::rethrow_exception(last);
  return done.take();
}

DeviceReport device_report(const Backend& backend) {
  const compute::BackendReport report = backend.report();
  return report.devices.empty() ? DeviceReport{} : report.devices.front();
}

std::size_t free_memory() {
  std::size_t free = 0, all = 0;
  check(cudaMemGetInfo(&free, &all), "asking for free memory");
  return free;
}

struct Measure {
  const Sizes& sizes;
  Executor& executor;
  Spans spans;
  std::unique_ptr<Backend> cuda;
  std::vector<PointBlock> blocks;
  std::vector<Row> rows;

  std::size_t free_before = 0;

  Measure(const Sizes& given, Executor& of) : sizes(given), executor(of), free_before(free_memory()) {
    compute::BackendOptions options;
    options.devices = {0};
    options.on_device = [this](const DeviceSpan& span) { spans.add(span); };
    cuda = compute::make_backend("cuda", executor, options);
    for (int i = 0; i < different_tiles; ++i) {
      blocks.push_back(town(sizes.tile_points, usual_side(sizes.tile_points), static_cast<std::uint64_t>(i + 1), cuda->host_memory()));
    }
  }

  double milliseconds_of(Backend& backend, std::span<const TileInput> tiles, const FeaturePlan& plan, int runs) const {
    std::vector<double> times;
    for (int run = 0; run <= runs; ++run) {
      const Clock::time_point begin = Clock::now();
      const auto outputs = backend.compute(tiles, plan, {}, {});
      if (run > 0) times.push_back(seconds(Clock::now() - begin) * 1e3);
    }
    return median(std::move(times));
  }

  /// Tiles one after the other: the first ones fill the pools, then a window in the middle in which every lane has work.
  void steady_state(const FeaturePlan& plan, const std::string& name, std::optional<double> target) {
    const int lanes = cuda->concurrency();
    compute_tiles(*cuda, blocks, plan, 2 * lanes);
    spans.clear();
    const DeviceReport before = device_report(*cuda);
    const int tiles = std::max(sizes.tiles, 2 * lanes + 2);
    const std::vector<Clock::time_point> done = compute_tiles(*cuda, blocks, plan, tiles);
    const DeviceReport after = device_report(*cuda);
    const auto first = static_cast<std::size_t>(lanes - 1), last = static_cast<std::size_t>(tiles - lanes);
    const double window = seconds(done[last] - done[first]);
    rows.push_back({"gpu." + name + ".busy", spans.busy("compute", done[first], done[last]) / window, "", target, true, tiles});
    rows.push_back({"gpu." + name + ".upload_busy", spans.busy("upload", done[first], done[last]) / window, "", {}, true, tiles});
    rows.push_back({"gpu." + name + ".download_busy", spans.busy("download", done[first], done[last]) / window, "", {}, true, tiles});
    rows.push_back({"gpu." + name + ".tiles", static_cast<double>(last - first) / window * 60, "tiles/min", {}, true, tiles});
    rows.push_back(
        {"gpu." + name + ".moved",
         static_cast<double>(after.uploaded - before.uploaded + after.downloaded - before.downloaded) / static_cast<double>(tiles) / 1e6,
         "MB/tile"});
    const auto leases = static_cast<double>(after.allocations - before.allocations);
    if (target) {
      // After the first two tiles of each lane.
      rows.push_back(
          {"gpu.pool_reused", leases > 0 ? static_cast<double>(after.reused - before.reused) / leases : 0, "", 0.99, true, tiles});
      memory(plan, after);
    }
  }

  /// A lane has one tile at a time here: what the runtime leases for one, times the lanes, is what it may have at once.
  void memory(const FeaturePlan& plan, const DeviceReport& after) {
    const std::stop_token stop;
    const std::shared_ptr<compute::cuda::PinnedMemory> pinned;
    const compute::Preprocess preprocess;
    const compute::HostFilter no_filter;  // none of these tiles is filtered
    const compute::cuda::CallContext context{plan, preprocess, executor, stop, pinned, no_filter};
    std::uint64_t largest = 0;
    for (const PointBlock& block : blocks) largest = std::max(largest, compute::cuda::whole_tile_bytes(input_of(block), context));
    const double planned = static_cast<double>(largest) * cuda->concurrency();
    rows.push_back({"gpu.memory_planned", planned / 1e6, "MB"});
    rows.push_back({"gpu.memory_taken", (static_cast<double>(free_before) - static_cast<double>(free_memory())) / 1e6, "MB"});
    rows.push_back({"gpu.memory_peak_of_planned", static_cast<double>(after.memory_peak) / planned, "", 1.0, false});
  }

  void batches(const FeaturePlan& plan, const std::string& name, std::optional<double> target) {
    std::vector<PointBlock> small;
    std::vector<TileInput> tiles;
    for (int i = 0; i < sizes.small_tiles; ++i) {
      small.push_back(town(sizes.small_points, usual_side(sizes.small_points), static_cast<std::uint64_t>(100 + i), cuda->host_memory()));
    }
    for (const PointBlock& block : small) tiles.push_back(input_of(block));
    // Alternating, so that both meet the same machine.
    std::vector<double> ratios, batched;
    for (int run = 0; run <= sizes.runs; ++run) {
      const Clock::time_point begin = Clock::now();
      auto outputs = cuda->compute(tiles, plan, {}, {});
      const Clock::time_point middle = Clock::now();
      for (const TileInput& tile : tiles) outputs = cuda->compute({&tile, 1}, plan, {}, {});
      const Clock::time_point end = Clock::now();
      if (run == 0) continue;
      batched.push_back(seconds(middle - begin) * 1e3);
      ratios.push_back(seconds(end - middle) / seconds(middle - begin));
    }
    rows.push_back({"gpu." + name, median(ratios), "x", target, true, sizes.runs});
    rows.push_back({"gpu." + name + ".time", median(batched), "ms", {}, false, sizes.runs});
  }

  void one_tile() {
    const TileInput tile = input_of(blocks.front());
    rows.push_back({"gpu.lod2_k20_call", milliseconds_of(*cuda, {&tile, 1}, lod2(), sizes.runs), "ms", {}, false, sizes.runs});
    const std::unique_ptr<Backend> cpu = compute::make_backend("cpu", executor);
    rows.push_back({"cpu.lod2_k20_call", milliseconds_of(*cpu, {&tile, 1}, lod2(), 1), "ms", {}, false, 1});
  }
};

}  // namespace

std::vector<Row> measure_backend(const Sizes& sizes, Executor& executor) {
  Measure measure(sizes, executor);
  measure.one_tile();
  measure.steady_state(lod2_of_the_device(), "steady", 0.95);
  measure.steady_state(lod2(), "steady_lod2", {});
  measure.batches(lod2_of_the_device(), "batch_of_small", 1.25);
  measure.batches(lod2(), "batch_of_small_lod2", {});
  return std::move(measure.rows);
}

}  // namespace tuile::gpu_check
