#include <algorithm>
#include <span>

#include "compute/cuda/queries.cuh"
#include "compute/cuda/search.hpp"

/// All points within a radius, and how many there are.
namespace tuile::compute::cuda {
namespace {

/// Where the group's limit is told apart in float32: the reach of its queries; else 0.
__device__ inline float float_reach(const BatchArrays& arrays, const Tree& tree, std::uint32_t limits, std::uint32_t piece_count,
                                    std::uint32_t piece) {
  const std::uint64_t squared = arrays.limits[std::size_t{limits} * piece_count + piece];
  return tree.state->exact != 0 && squared < static_cast<std::uint64_t>(exact_limit) ? static_cast<float>(squared) + 1.0F : 0.0F;
}

/// Query: FloatSumming, or Summing with integers where float32 may not hold the sums of some piece.
template <class Query>
__global__ void __launch_bounds__(search_threads)
    ball_search(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t leaves, SearchTask task) {
  const std::uint32_t batch_leaf = (blockIdx.x * search_threads + threadIdx.x) / warp_size;
  if (batch_leaf >= leaves) return;  // whole warps
  const Group group(arrays, piece_count, batch_leaf);
  const Tree tree(arrays, group.piece);
  const bool asks = group.used && (task.all || group.record.index < tree.piece->rows);
  const float reach = float_reach(arrays, tree, task.limits, piece_count, group.piece);
  if (!(reach > 0.0F)) return leave(arrays, 1, batch_leaf, asks);
  const FloatMetric metric(tree, group, asks);
  Query query(tree, metric, asks ? reach : 0.0F);
  query.most = task.most;
  walk(tree, group.leaf, query);
  const bool over = query.sums.n > task.most;
  if (asks && !over) store(arrays.moments, group.slot, query.sums, static_cast<double>(query.farthest));
  leave(arrays, 0, batch_leaf, over);
}

__global__ void __launch_bounds__(search_threads)
    ball_count(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t leaves, std::uint32_t limits, std::uint32_t most, bool every) {
  const std::uint32_t batch_leaf = (blockIdx.x * search_threads + threadIdx.x) / warp_size;
  if (batch_leaf >= leaves) return;
  const Group group(arrays, piece_count, batch_leaf);
  const Tree tree(arrays, group.piece);
  const bool asks = group.used && (every || group.record.index < tree.piece->rows);
  if (!__any_sync(all_lanes, asks)) return;
  const float reach = float_reach(arrays, tree, limits, piece_count, group.piece);
  if (!(reach > 0.0F)) return leave(arrays, 1, batch_leaf, asks);
  const FloatMetric metric(tree, group, asks);
  Counting<FloatMetric> query(tree, metric, asks ? reach : 0.0F);
  query.most = most;
  walk(tree, group.leaf, query);
  if (asks) arrays.places[group.slot] = query.count;
}

__global__ void __launch_bounds__(search_threads)
    wide_count(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t limits, std::uint32_t most) {
  const std::uint32_t count = arrays.left_count[1];
  const std::uint32_t warps = gridDim.x * (search_threads / warp_size);
  for (std::uint32_t i = (blockIdx.x * search_threads + threadIdx.x) / warp_size; i < count; i += warps) {
    const Group group(arrays, piece_count, arrays.left_leaves[1][i]);
    const Tree tree(arrays, group.piece);
    const bool asks = (arrays.left_masks[1][i] >> lane_id() & 1U) != 0;
    const std::uint64_t squared = arrays.limits[std::size_t{limits} * piece_count + group.piece];
    using Metric = WideMetric<Unsigned128>;
    const Metric metric(tree, group, asks);
    Counting<Metric> query(tree, metric, asks ? Metric::limit(squared) + 1 : 0);
    query.most = most;
    walk(tree, group.leaf, query);
    if (asks) arrays.places[group.slot] = query.count;
  }
}

}  // namespace

void search_balls(const BatchPlan& plan, const BatchArrays& arrays, const SearchTask& task, cudaStream_t stream) {
  const auto pieces = static_cast<std::uint32_t>(plan.pieces.size());
  const auto limits = std::span(plan.limits).subspan(std::size_t{task.limits} * pieces, pieces);
  constexpr auto most_exact = static_cast<std::uint64_t>(exact_limit);
  const bool fits = std::all_of(limits.begin(), limits.end(), [&](std::uint64_t squared) {
    return squared >= most_exact || task.most * (squared + 1) < most_exact;  // the former are left to wide integers anyway
  });
  const auto kernel = fits ? ball_search<FloatSumming> : ball_search<Summing<FloatMetric, long long>>;
  launch(stream, plan.slots, search_threads, "searching within a radius", kernel, arrays, pieces, plan.slots / fan_out, task);
}

void count_slots(const BatchPlan& plan, const BatchArrays& arrays, std::uint32_t limits, std::uint32_t most, bool all,
                 cudaStream_t stream) {
  clear_lists(arrays, stream);
  const auto pieces = static_cast<std::uint32_t>(plan.pieces.size());
  launch(stream, plan.slots, search_threads, "counting within a radius", ball_count, arrays, pieces, plan.slots / fan_out, limits, most,
         all);
  launch(stream, listed_threads(plan), search_threads, "counting within a radius", wide_count, arrays, pieces, limits, most);
}

}  // namespace tuile::compute::cuda
