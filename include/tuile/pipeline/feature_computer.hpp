#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/compute/backend.hpp"
#include "tuile/config/config.hpp"
#include "tuile/core/executor.hpp"
#include "tuile/core/host_memory.hpp"
#include "tuile/core/point_block.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::pipeline {

/// Columns of an array of coordinates, anyhow strided: row i, axis a lies `i * row_stride + a * axis_stride` bytes after `data`.
struct CoordinateArray {
  enum class Type : std::uint8_t { float32, float64, int32, int64 };
  const void* data = nullptr;
  std::size_t rows = 0;
  std::ptrdiff_t row_stride = 0, axis_stride = 0;  ///< bytes
  Type type = Type::float64;
};

/// Points of an array on an integer grid, as features are computed on one. scale: metres per unit; 0: the coarsest of 0.01, 0.001 and
/// 0.0001 m on which every coordinate lies (to a thousandth of a unit), else the power of ten that gives the longest side some 2^24 units
/// and rounds (`rounded`). Everything is unclassified (class 1). Throws InvalidArgument: NaN or infinite coordinates (with the first such
/// row), more points than 2^32 - 1, a scale that is no number above 0 or that the coordinates do not fit (Unsupported). memory: where the
/// block is to lie; null: on the heap.
PointBlock grid_points(const CoordinateArray& coordinates, double scale, Executor& executor, std::stop_token stop = {},
                       const std::shared_ptr<HostMemory>& memory = nullptr);

/// The columns that a configuration asks for. Throws ConfigError.
features::FeaturePlan feature_plan(const config::Config& config);

/// What a configuration asks of preprocessing.
compute::Preprocess preprocess_of(const config::Config& config);

/// Computes features of tiles in memory: the main job's compute stage on its own. Thread-safe; calls queue where the backend wants it.
class FeatureComputer {
 public:
  /// backend: "auto", "cpu" or "cuda"; threads: 0: one per processor. Throws BackendUnavailable, InvalidArgument.
  explicit FeatureComputer(const std::string& backend = "auto", int threads = 0);
  ~FeatureComputer();
  FeatureComputer(const FeatureComputer&) = delete;
  FeatureComputer& operator=(const FeatureComputer&) = delete;

  /// One tile's input: its points and neighbours' (whole tiles or parts; what lies farther than halo_width from the tile is left out).
  struct Input {
    const PointBlock* points = nullptr;
    std::vector<std::shared_ptr<const PointBlock>> halo = {};
    Bounds bounds = {};     ///< the tile's own, metres; empty: those of its points
    double halo_width = 0;  ///< metres
  };
  /// One output per input, in order: exactly what the command line writes for a tile with these neighbours. Throws as Backend::compute.
  std::vector<compute::TileOutput> compute(std::span<const Input> inputs, const features::FeaturePlan& plan,
                                           const compute::Preprocess& preprocess, std::stop_token stop);

  /// What was computed so far.
  struct Totals {
    std::uint64_t tiles = 0, points = 0;
    double seconds = 0;  ///< inside Backend::compute
  };
  Totals totals() const;

  const compute::Backend& backend() const noexcept;
  Executor& executor() noexcept;
  /// Where points had best lie that are given to compute(): what the backend copies from, or memory that is used again from call to call
  /// (up to 64 MiB of it stay with the computer).
  const std::shared_ptr<HostMemory>& memory() noexcept;
  /// Of `auto`: why not a better backend; else empty.
  const std::string& reason() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tuile::pipeline
