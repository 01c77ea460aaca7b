#include "tuile/pipeline/feature_computer.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "pipeline/assemble.hpp"
#include "tuile/core/error.hpp"
#include "tuile/core/mutex.hpp"

namespace tuile::pipeline {

namespace {

/// The part of a neighbour inside `box`, as a decoder with this box would have given it; null where it has none there.
prefetch::TileHandle part_inside(const PointBlock& block, const Bounds& box) {
  const GridBounds wanted = units_inside(box, block.grid.scale), extent = block.extent();
  const bool apart = extent.empty() || extent.min_x > wanted.max_x || extent.max_x < wanted.min_x || extent.min_y > wanted.max_y ||
                     extent.max_y < wanted.min_y;
  if (apart) return nullptr;
  return std::make_shared<const prefetch::Tile>(prefetch::Tile{.points = cut(block, box), .warnings = {}});
}

/// Memory that was touched before costs no page faults: they take as long as putting an array's points there.
class KeptMemory final : public HostMemory {
 public:
  ~KeptMemory() override {
    for (const Block& block : spare_) std::free(block.data);
  }
  void* allocate(std::size_t bytes) noexcept override {
    const std::size_t rounded = round_up(bytes);
    const MutexLock lock(mutex_);
    const auto fits = [&](const Block& block) { return block.bytes >= rounded && block.bytes / 2 <= rounded; };
    const auto at = std::find_if(spare_.begin(), spare_.end(), fits);
    if (at == spare_.end()) return std::aligned_alloc(alignment, rounded);
    void* const data = at->data;
    *at = {};
    return data;
  }
  /// The block is known by what was asked of it, which may be less than it has.
  void release(void* data, std::size_t bytes) noexcept override {
    const MutexLock lock(mutex_);
    const auto smallest = std::min_element(spare_.begin(), spare_.end(), [](const Block& a, const Block& b) { return a.bytes < b.bytes; });
    if (bytes > most_bytes || round_up(bytes) < smallest->bytes) {
      std::free(data);
      return;
    }
    std::free(std::exchange(smallest->data, data));
    smallest->bytes = round_up(bytes);
  }

 private:
  struct Block {
    void* data = nullptr;
    std::size_t bytes = 0;
  };
  static std::size_t round_up(std::size_t bytes) noexcept { return (bytes + alignment - 1) / alignment * alignment; }
  static constexpr std::size_t alignment = 64, most_bytes = std::size_t{32} << 20;
  Mutex mutex_;
  std::array<Block, 2> spare_ GUARDED_BY(mutex_);  ///< coordinates and classes of one array
};

GridBounds extent_of(const PointBlock& points, Executor& executor) {
  constexpr std::size_t points_per_task = 1U << 16;
  struct Range {
    std::int32_t min_x = std::numeric_limits<std::int32_t>::max(), min_y = min_x;
    std::int32_t max_x = std::numeric_limits<std::int32_t>::min(), max_y = max_x;
    void add(const Range& other) {
      min_x = std::min(min_x, other.min_x);
      max_x = std::max(max_x, other.max_x);
      min_y = std::min(min_y, other.min_y);
      max_y = std::max(max_y, other.max_y);
    }
  };
  std::vector<Range> ranges((points.size() + points_per_task - 1) / points_per_task);
  executor.for_each(ranges.size(), [&](std::size_t task) {
    Range range;
    const std::size_t end = std::min(points.size(), (task + 1) * points_per_task);
    for (std::size_t i = task * points_per_task; i < end; ++i) {
      const GridPoint& p = points.units[i];
      range.add({p.x, p.y, p.x, p.y});
    }
    ranges[task] = range;
  });
  if (ranges.empty()) return {};
  Range all;
  for (const Range& range : ranges) all.add(range);
  const auto& origin = points.grid.origin;
  return {origin[0] + all.min_x, origin[1] + all.min_y, origin[0] + all.max_x, origin[1] + all.max_y};
}

/// Lets as many callers in at once as the backend has use for.
class Gate {
 public:
  explicit Gate(int places) : free_(places) {}

  void enter(const std::stop_token& stop) {
    MutexLock lock(mutex_);
    if (!changed_.wait(lock, stop, [&]() REQUIRES(mutex_) { return free_ > 0; })) throw Cancelled("stopped while waiting for the backend");
    --free_;
  }
  void leave() {
    {
      const MutexLock lock(mutex_);
      ++free_;
    }
    changed_.notify_one();
  }

 private:
  Mutex mutex_;
  StoppableCondition changed_;
  int free_ GUARDED_BY(mutex_);
};

class Place {
 public:
  Place(Gate& gate, const std::stop_token& stop) : gate_(gate) { gate_.enter(stop); }
  ~Place() { gate_.leave(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  Gate& gate_;
};

void check(const FeatureComputer::Input& input) {
  if (input.points == nullptr) throw InvalidArgument("a tile without points was given; Input.points must not be null");
  if (!(input.halo_width >= 0 && std::isfinite(input.halo_width))) {
    throw InvalidArgument("halo_width is " + std::to_string(input.halo_width) + "; a width of 0 m or more is expected");
  }
}

}  // namespace

struct FeatureComputer::Impl {
  Impl(const std::string& name, int threads)
      : executor(threads),
        backend(compute::make_backend(name, executor, {}, &reason)),
        memory(backend->host_memory()),
        gate(std::max(1, backend->concurrency())) {
    if (memory == nullptr) memory = std::make_shared<KeptMemory>();
  }

  std::string reason;  ///< before the backend, which sets it
  Executor executor;
  const std::unique_ptr<compute::Backend> backend;
  std::shared_ptr<HostMemory> memory;
  Gate gate;
  Mutex mutex;
  Totals totals GUARDED_BY(mutex);
};

FeatureComputer::FeatureComputer(const std::string& backend, int threads) : impl_(std::make_unique<Impl>(backend, threads)) {}
FeatureComputer::~FeatureComputer() = default;

std::vector<compute::TileOutput> FeatureComputer::compute(std::span<const Input> inputs, const features::FeaturePlan& plan,
                                                          const compute::Preprocess& preprocess, std::stop_token stop) {
  const bool looks_around = plan.needs_neighbours() || plan.needs_ground() || preprocess.has_filters();
  std::vector<std::unique_ptr<AssembledTile>> assembled;
  std::vector<compute::TileInput> tiles;
  for (const Input& input : inputs) {
    check(input);
    const double own_scale = input.points->grid.scale;
    const Bounds bounds = input.bounds.empty() ? to_metres(extent_of(*input.points, impl_->executor), own_scale) : input.bounds;
    double scale = own_scale;
    std::vector<prefetch::TileHandle> parts;
    if (looks_around && input.halo_width > 0 && !bounds.empty()) {
      const Bounds around = bounds.expanded(input.halo_width + preprocess.reach());
      for (const std::shared_ptr<const PointBlock>& neighbour : input.halo) {
        if (stop.stop_requested()) throw Cancelled("stopped before the features were computed");
        prefetch::TileHandle part = neighbour == nullptr ? nullptr : part_inside(*neighbour, around);
        if (part == nullptr) continue;
        scale = std::min(scale, part->points.grid.scale);
        parts.push_back(std::move(part));
      }
    }
    const PointBlock* core = input.points;
    const PointBlock* halo = nullptr;
    if (!parts.empty()) {
      assembled.push_back(assemble(*input.points, parts, scale));
      core = assembled.back()->core;
      halo = &assembled.back()->halo;
    }
    tiles.push_back({.core = core, .halo = halo, .bounds = to_units(bounds, scale), .halo_width = input.halo_width});
  }
  const Place place(impl_->gate, stop);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<compute::TileOutput> outputs = impl_->backend->compute(tiles, plan, preprocess, std::move(stop));
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  const MutexLock lock(impl_->mutex);
  impl_->totals.tiles += tiles.size();
  for (const compute::TileInput& tile : tiles) impl_->totals.points += tile.core->size();
  impl_->totals.seconds += taken.count();
  return outputs;
}

FeatureComputer::Totals FeatureComputer::totals() const {
  const MutexLock lock(impl_->mutex);
  return impl_->totals;
}

const compute::Backend& FeatureComputer::backend() const noexcept { return *impl_->backend; }
Executor& FeatureComputer::executor() noexcept { return impl_->executor; }
const std::shared_ptr<HostMemory>& FeatureComputer::memory() noexcept { return impl_->memory; }
const std::string& FeatureComputer::reason() const noexcept { return impl_->reason; }

}  // namespace tuile::pipeline
