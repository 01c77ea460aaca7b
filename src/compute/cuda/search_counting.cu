#include "compute/cuda/search.hpp"
#include "compute/cuda/search_counting.cuh"

namespace tuile::compute::cuda {
namespace {

__global__ void __launch_bounds__(search_threads, 5)
    counting_search(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t leaves, SearchTask task, bool listed) {
  const std::uint32_t count = listed ? arrays.left_count[0] : leaves;
  const std::uint32_t warps = gridDim.x * (search_threads / warp_size);
  for (std::uint32_t i = (blockIdx.x * search_threads + threadIdx.x) / warp_size; i < count; i += warps) {
    const std::uint32_t batch_leaf = listed ? arrays.left_leaves[0][i] : i;
    const Group group(arrays, piece_count, batch_leaf);
    const Tree tree(arrays, group.piece);
    const bool asks =
        listed ? (arrays.left_masks[0][i] >> lane_id() & 1U) != 0 : group.used && (task.all || group.record.index < tree.piece->rows);
    if (!__any_sync(all_lanes, asks)) continue;
    bool left = asks;
    if (tree.state->exact != 0) left = search_counting<FloatMetric>(arrays, piece_count, task, tree, group, asks);
    leave(arrays, 1, batch_leaf, left);
  }
}

template <class Integer>
__global__ void __launch_bounds__(search_threads, 3) wide_search(BatchArrays arrays, std::uint32_t piece_count, SearchTask task) {
  const std::uint32_t count = arrays.left_count[1];
  const std::uint32_t warps = gridDim.x * (search_threads / warp_size);
  for (std::uint32_t i = (blockIdx.x * search_threads + threadIdx.x) / warp_size; i < count; i += warps) {
    const Group group(arrays, piece_count, arrays.left_leaves[1][i]);
    const Tree tree(arrays, group.piece);
    const bool short_ones = tree.state->exact != 0;
    if (short_ones != (sizeof(Integer) == 8)) continue;
    const bool asks = (arrays.left_masks[1][i] >> lane_id() & 1U) != 0;
    search_counting<WideMetric<Integer>>(arrays, piece_count, task, tree, group, asks);
  }
}

}  // namespace

void search_by_counting(const BatchPlan& plan, const BatchArrays& arrays, const SearchTask& task, bool listed, cudaStream_t stream) {
  launch(stream, listed ? listed_threads(plan) : plan.slots, search_threads, "searching by counting", counting_search, arrays,
         static_cast<std::uint32_t>(plan.pieces.size()), plan.slots / fan_out, task, listed);
}

void search_wide(const BatchPlan& plan, const BatchArrays& arrays, const SearchTask& task, cudaStream_t stream) {
  const auto pieces = static_cast<std::uint32_t>(plan.pieces.size());
  launch(stream, listed_threads(plan), search_threads, "searching far away", wide_search<std::uint64_t>, arrays, pieces, task);
  launch(stream, listed_threads(plan), search_threads, "searching far away", wide_search<Unsigned128>, arrays, pieces, task);
}

}  // namespace tuile::compute::cuda
