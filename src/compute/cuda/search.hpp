#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "compute/cuda/kernels.hpp"

/// The searches that search() and the filters are made of; each serves every leaf of the batch.
namespace tuile::compute::cuda {

/// Empties what searches leave to others.
void clear_lists(const BatchArrays& arrays, cudaStream_t stream);

/// What a search is for.
struct SearchTask {
  std::uint32_t most;    ///< neighbours at most
  std::uint32_t limits;  ///< row of the limits, where bounded
  bool bounded;
  bool all;        ///< every point asks, not only those with rows
  bool distances;  ///< sums of quantised distances (statistical outliers) instead of moments
};
inline constexpr std::uint32_t longest_list = 64;

/// Threads that serve a list whose length only the device knows: what keeps a large card busy, no more than there are leaves.
inline std::uint64_t listed_threads(const BatchPlan& plan) {
  constexpr std::uint64_t most = 2048 * std::uint64_t{128};
  return plan.slots < most ? plan.slots : most;
}

/// Moments of every asking slot, or its sum of distances with n and reach2. Neighbours beyond float32 included. Together with its own
/// memory of what is left over.
void search_slots(const BatchPlan& plan, const BatchArrays& arrays, const SearchTask& task, cudaStream_t stream);

/// How many points lie within the limit, itself included, to arrays.places by slot; counting may stop beyond `most`.
void count_slots(const BatchPlan& plan, const BatchArrays& arrays, std::uint32_t limits, std::uint32_t most, bool all, cudaStream_t stream);

// The steps of search_slots.
/// At most longest_list neighbours; ties and large sums are left to list 2, what float32 cannot hold to list 1.
void search_lists(const BatchPlan& plan, const BatchArrays& arrays, const SearchTask& task, cudaStream_t stream);
/// Those left to list 2.
void search_ties(const BatchPlan& plan, const BatchArrays& arrays, const SearchTask& task, cudaStream_t stream);
/// All within a radius; where they are more than `most` left to list 0, what float32 cannot hold to list 1.
void search_balls(const BatchPlan& plan, const BatchArrays& arrays, const SearchTask& task, cudaStream_t stream);
/// Any number of neighbours, found by counting. Of every slot that asks, or those left to list 0; what float32 cannot hold is left to
/// list 1.
void search_by_counting(const BatchPlan& plan, const BatchArrays& arrays, const SearchTask& task, bool listed, cudaStream_t stream);
/// Those left to list 1.
void search_wide(const BatchPlan& plan, const BatchArrays& arrays, const SearchTask& task, cudaStream_t stream);

}  // namespace tuile::compute::cuda
