#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/core/executor.hpp"
#include "tuile/core/feature_block.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::compute {

/// The input of one tile. Blocks are read only and must outlive the call.
struct TileInput {
  const PointBlock* core = nullptr;  ///< the tile's own points: one output row each
  const PointBlock* halo = nullptr;  ///< neighbours' points on the same grid (same scale and origin); may be null
  GridBounds bounds;                 ///< the tile's own bounds, absolute units; with `halo_width` it says which neighbourhoods are complete
  double halo_width = 0;             ///< metres
  std::string spill_folder = {};     ///< not empty: the rows go to a temporary file there instead of memory
};

/// What preprocessing marks before neighbours are searched.
struct Preprocess {
  std::vector<std::uint8_t> exclude_classes;  ///< points of these classes are invalid: never neighbours, NaN in
                                              ///< every column that the LAS record does not hold itself
  bool active() const noexcept { return !exclude_classes.empty(); }
};

/// The output of one tile.
struct TileOutput {
  FeatureBlock features;                        ///< core.size() rows, columns in the plan's order
  Buffer<std::uint8_t> valid;                   ///< core.size() zeros or ones; empty where preprocessing is off
  std::vector<std::string> missing_columns;     ///< columns that are NaN because the tile lacks the input
  std::uint64_t degenerate_neighbourhoods = 0;  ///< fewer than 3 points, or λ1 ≤ 1e-12 m²
  std::uint64_t truncated_neighbourhoods = 0;   ///< reaching beyond bounds + halo: they may differ in another tiling
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
};

/// Bytes per point, of core and halo, that the CPU backend holds beside input and output while it searches for neighbours.
inline constexpr std::uint64_t search_bytes_per_point = 72;
/// Bytes per ground point, the lowest of each 0.5 m cell, that it holds while it makes the ground surface.
inline constexpr std::uint64_t surface_bytes_per_point = 80;

struct BackendOptions {
  /// Bytes that a call may use beside its input and output; a tile that needs more is searched block by block, with the same results.
  /// A lower bound is set by what cannot be parted: the ground surface, points above each other. 0: no limit.
  std::uint64_t memory = 0;
};

/// Whether a backend can run here, and if not, why and what to do.
struct Availability {
  bool available = false;
  std::string reason;
};

/// The known backends, best first.
std::vector<std::string> backend_names();
/// Throws InvalidArgument for an unknown name.
Availability availability(const std::string& name);
/// name: "cpu", "cuda" or "auto" (the best that can run here). Throws BackendUnavailable with the reason, InvalidArgument for an unknown
/// name. executor must outlive the backend.
std::unique_ptr<Backend> make_backend(const std::string& name, Executor& executor, const BackendOptions& options = {});

}  // namespace tuile::compute
