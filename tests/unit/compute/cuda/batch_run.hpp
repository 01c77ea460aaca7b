#pragma once

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>
#include <vector>

#include "compute/cuda/kernels.hpp"
#include "unit/compute/clouds.hpp"

namespace tuile::compute::cuda {

/// A piece to be computed and its points, rows first.
struct TestPiece {
  test::Cloud cloud;
  std::size_t rows = 0;
  Grid grid{};
  Sides complete{}, given{};
};

/// What came down of a batch.
struct BatchResult {
  BatchPlan plan;
  std::vector<float> values;  ///< NaN where nothing was written
  std::vector<std::uint8_t> valid;
  std::vector<PieceState> states;
  std::vector<std::uint32_t> unfinished;
  std::vector<std::uint64_t> sums;

  float at(std::size_t row, std::size_t column) const { return values[row * plan.columns + column]; }
};

/// Runs the phases on the current device, as a backend would.
class BatchRun {
 public:
  BatchRun(std::vector<TestPiece> pieces, const features::FeaturePlan& features, const Preprocess& preprocess = {})
      : pieces_(std::move(pieces)) {
    std::vector<PieceShape> shapes;
    for (const TestPiece& piece : pieces_) {
      shapes.push_back({static_cast<std::uint32_t>(piece.cloud.points.size()), static_cast<std::uint32_t>(piece.rows), piece.grid,
                        piece.complete, piece.given});
    }
    plan_ = plan_batch(shapes, features, preprocess, !preprocess.exclude_classes.empty());
    need(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
    BatchArrays measured;
    bytes_ = lay_out(plan_, nullptr, measured);
    need(cudaMalloc(reinterpret_cast<void**>(&memory_), bytes_));
    EXPECT_EQ(lay_out(plan_, memory_, arrays_), bytes_);
    upload();
  }
  ~BatchRun() {
    EXPECT_EQ(cudaStreamDestroy(stream_), cudaSuccess);
    EXPECT_EQ(cudaFree(memory_), cudaSuccess);
  }
  BatchRun(const BatchRun&) = delete;
  BatchRun& operator=(const BatchRun&) = delete;

  const BatchPlan& plan() const { return plan_; }
  BatchArrays& arrays() { return arrays_; }
  cudaStream_t stream() const { return stream_; }

  /// Everything that the plan asks for.
  BatchResult run() {
    mark(plan_, arrays_, stream_);
    if (plan_.searches) {
      order(plan_, arrays_, stream_);
      filter();
      for (std::size_t s = 0; s < plan_.scales.size(); ++s) search(plan_, arrays_, s, stream_);
      count(plan_, arrays_, stream_);
      finish(plan_, arrays_, stream_);
    }
    return fetch();
  }

  void filter() {
    const Preprocess& wanted = plan_.preprocess;
    if (wanted.statistical_outliers.k > 0) {
      distance_sums(plan_, arrays_, stream_);
      std::vector<double> thresholds;
      for (const PieceState& state : down(arrays_.states, plan_.pieces.size())) {
        thresholds.push_back(outlier_threshold(state.distances, wanted.statistical_outliers.deviations));
      }
      up(arrays_.thresholds, thresholds);
      remove_far(plan_, arrays_, stream_);
    }
    if (wanted.radius_outliers.radius > 0) remove_sparse(plan_, arrays_, stream_);
    if (wanted.voxel > 0) thin(plan_, arrays_, stream_);
  }

  BatchResult fetch() {
    BatchResult result;
    result.plan = plan_;
    result.values = down(arrays_.values, std::size_t{plan_.rows} * plan_.columns);
    result.valid = down(arrays_.valid, plan_.points);
    result.states = down(arrays_.states, plan_.pieces.size());
    result.unfinished = down(arrays_.unfinished, plan_.rows);
    if (arrays_.sums != nullptr) result.sums = down(arrays_.sums, plan_.points);
    return result;
  }

  template <class T>
  std::vector<T> down(const T* from, std::size_t count) {
    std::vector<T> to(count);
    need(cudaStreamSynchronize(stream_));
    if (count > 0) need(cudaMemcpy(to.data(), from, count * sizeof(T), cudaMemcpyDeviceToHost));
    return to;
  }
  template <class T>
  void up(T* to, const std::vector<T>& from) {
    if (!from.empty()) need(cudaMemcpy(to, from.data(), from.size() * sizeof(T), cudaMemcpyHostToDevice));
  }

 private:
  static void need(cudaError_t error) {
    if (error != cudaSuccess) throw std::runtime_error(cudaGetErrorName(error));
  }
  void upload() {
    up(arrays_.tables, plan_.tables);
    std::vector<GridPoint> units;
    std::vector<std::uint8_t> classes;
    for (const TestPiece& piece : pieces_) {
      units.insert(units.end(), piece.cloud.points.begin(), piece.cloud.points.end());
      classes.insert(classes.end(), piece.cloud.classes.begin(), piece.cloud.classes.end());
      classes.resize(units.size(), 1);
    }
    up(arrays_.units, units);
    if (arrays_.classes != nullptr) up(arrays_.classes, classes);
    up(arrays_.values, std::vector<float>(std::size_t{plan_.rows} * plan_.columns, std::numeric_limits<float>::quiet_NaN()));
  }

  std::vector<TestPiece> pieces_;
  BatchPlan plan_;
  cudaStream_t stream_ = nullptr;
  std::byte* memory_ = nullptr;
  std::size_t bytes_ = 0;
  BatchArrays arrays_;
};

/// A cloud of which every point has a row.
inline TestPiece piece_of(test::Cloud cloud, double scale = 0.01) {
  TestPiece piece;
  piece.rows = cloud.points.size();
  piece.cloud = std::move(cloud);
  piece.grid.scale = scale;
  return piece;
}

}  // namespace tuile::compute::cuda
