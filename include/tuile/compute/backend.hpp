#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/core/executor.hpp"
#include "tuile/core/feature_block.hpp"
#include "tuile/core/host_memory.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::compute {

/// The input of one tile. Blocks are read only and must outlive the call.
struct TileInput {
  const PointBlock* core = nullptr;  ///< the tile's own points: one output row each
  const PointBlock* halo = nullptr;  ///< neighbours' points on the same grid (same scale and origin); may be null
  GridBounds bounds;                 ///< the tile's own bounds, absolute units; with `halo_width` it says which neighbourhoods are complete
  double halo_width = 0;             ///< metres; the halo's points reach Preprocess::reach() farther
  std::string spill_folder = {};     ///< not empty: the rows go to a temporary file there instead of memory
};

/// Which points are left out before neighbours are searched: invalid points are nobody's neighbours, and NaN in every column that the LAS
/// record does not hold itself. The filters run in this order, each on what the ones before have left, on core and halo alike.
struct Preprocess {
  std::vector<std::uint8_t> exclude_classes;  ///< points of these classes

  /// Points whose mean distance to their k nearest others lies more than `deviations` standard deviations above the mean, both taken over
  /// the tile's own (core) points: so it depends on the tiling. PCL's and PDAL's statistical outlier filter (Rusu et al. 2008).
  struct StatisticalOutliers {
    int k = 0;  ///< other points; 0: off
    double deviations = 2;
    bool operator==(const StatisticalOutliers&) const = default;
  } statistical_outliers;

  /// Points with fewer than min_neighbors others within `radius`.
  struct RadiusOutliers {
    double radius = 0;  ///< metres; 0: off
    int min_neighbors = 4;
    bool operator==(const RadiusOutliers&) const = default;
  } radius_outliers;

  /// Keeps the smallest (x, y, z) of each cube of this edge, anchored at coordinate 0 (of equal points the first, core before halo);
  /// metres, 0: off.
  double voxel = 0;

  bool has_filters() const noexcept { return statistical_outliers.k > 0 || radius_outliers.radius > 0 || voxel > 0; }
  bool active() const noexcept { return !exclude_classes.empty() || has_filters(); }
  /// How far beyond a point's place the filters look to decide on it, metres: so much wider must a halo be for its points to be marked as
  /// they are in the tile they come from. (What statistical outliers depend on has no bound.)
  double reach() const noexcept { return radius_outliers.radius + voxel; }
};

/// The output of one tile.
struct TileOutput {
  FeatureBlock features;                        ///< core.size() rows, columns in the plan's order
  Buffer<std::uint8_t> valid;                   ///< core.size() zeros or ones; empty where preprocessing is off
  std::vector<std::string> missing_columns;     ///< columns that are NaN because the tile lacks the input
  std::uint64_t degenerate_neighbourhoods = 0;  ///< fewer than 3 points, or λ1 ≤ 1e-12 m²
  std::uint64_t truncated_neighbourhoods = 0;   ///< reaching beyond bounds + halo: they may differ in another tiling
  /// Core points that each step of preprocessing marked.
  struct Removed {
    std::uint64_t classes = 0, statistical = 0, radius = 0, voxel = 0;
    bool operator==(const Removed&) const = default;
  } removed;
};

/// What a device has done so far.
struct DeviceReport {
  int id = 0;
  std::string name;            ///< of the card
  std::uint64_t tiles = 0;     ///< computed
  double busy_seconds = 0;     ///< some kernel ran (by the device's own clock)
  std::uint64_t uploaded = 0;  ///< bytes
  std::uint64_t downloaded = 0;
  std::uint64_t allocations = 0;  ///< leases of device memory …
  std::uint64_t reused = 0;       ///< … that needed no new memory of the device
  std::uint64_t memory_peak = 0;  ///< bytes leased at once
  std::string lost;               ///< why it was dropped; empty: it works
};

/// How a backend's work went, beyond its results.
struct BackendReport {
  std::vector<DeviceReport> devices;  ///< none for the cpu
  std::uint64_t batches_halved = 0;   ///< for want of device memory
  std::uint64_t tiles_in_blocks = 0;  ///< tiles that did not fit a device
  std::uint64_t tiles_moved = 0;      ///< begun on a device that was lost, done on another
};

/// A stretch of a device's time.
struct DeviceSpan {
  int device = 0;
  const char* what = "";  ///< "upload", "compute", "download"
  std::chrono::steady_clock::time_point begin, end;
};

/// What a backend holds of this process's memory beside input and output, bytes.
struct MemoryCost {
  std::uint64_t search = 0;   ///< per point, of core and halo, while it searches for neighbours
  std::uint64_t filter = 0;   ///< per point, while its filters search block by block
  std::uint64_t surface = 0;  ///< per ground point, the lowest of each 0.5 m cell, while it makes the ground surface
};

/// Computes features. One call takes one or several tiles; results do not depend on how tiles were batched, on threads or on point order.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;         ///< "cpu", "cuda"
  virtual std::string description() const = 0;  ///< e.g. "cpu, AVX-512, 16 threads"
  /// Features of every tile, in the order given. Blocks until they are ready.
  /// Throws InvalidArgument, OutOfMemory, Cancelled, DeviceError. Thread-safe.
  virtual std::vector<TileOutput> compute(std::span<const TileInput> tiles, const features::FeaturePlan& plan, const Preprocess& preprocess,
                                          std::stop_token stop) = 0;
  /// How many calls of compute may usefully be under way at once: on a device one is copied while another is computed.
  virtual int concurrency() const noexcept { return 1; }
  virtual MemoryCost memory_cost() const noexcept = 0;
  /// Where buffers had best lie that are given to compute; null: anywhere.
  virtual std::shared_ptr<HostMemory> host_memory() { return nullptr; }
  /// Thread-safe, also while compute runs.
  virtual BackendReport report() const { return {}; }
};

struct BackendOptions {
  /// Bytes that a call may use beside its input and output; a tile that needs more is searched block by block, with the same results.
  /// A lower bound is set by what cannot be parted: the ground surface, points above each other. 0: no limit.
  std::uint64_t memory = 0;
  std::vector<int> devices = {};                          ///< cuda: ids of those to use; empty: all
  std::function<void(const DeviceSpan&)> on_device = {};  ///< cuda: told what the devices did when, from any thread
};

/// Whether a backend can run here, and if not, why and what to do.
struct Availability {
  bool available = false;
  std::string reason;
};

/// Which backend a name stands for here.
struct BackendChoice {
  std::string name;    ///< "cpu" or "cuda"
  std::string reason;  ///< of "auto": why none of the better ones; empty where the best was chosen, or one was asked for by name
};

/// The known backends, best first.
std::vector<std::string> backend_names();
/// Throws InvalidArgument for an unknown name.
Availability availability(const std::string& name);
/// name: "cpu", "cuda" or "auto" (the best that can run here). Throws InvalidArgument for an unknown name; does not look whether one that
/// is asked for by name can run.
BackendChoice choose_backend(const std::string& name);
/// name: as choose_backend. Throws BackendUnavailable with the reason, InvalidArgument for an unknown name. executor must outlive the
/// backend. A cuda backend may leave one of its devices as the calling thread's current one, where that was another that no backend uses.
/// reason: where not null, becomes what BackendChoice::reason is, including that none of a better backend's devices could be opened.
std::unique_ptr<Backend> make_backend(const std::string& name, Executor& executor, const BackendOptions& options = {},
                                      std::string* reason = nullptr);

}  // namespace tuile::compute
