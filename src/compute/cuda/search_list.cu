#include "compute/cuda/queries.cuh"
#include "compute/cuda/search.hpp"

/// Up to 64 neighbours: each lane keeps the squared distances of the nearest found so far in registers, in order.
namespace tuile::compute::cuda {
namespace {

/// list[room - 1] is the bound. Room that is not needed is filled with −1, from the front on.
template <int room>
struct NearestList {
  const Tree& tree;
  const FloatMetric& metric;
  float bound = 0.0F;
  float list[room];

  __device__ NearestList(const Tree& t, const FloatMetric& m, std::uint32_t most, float first) : tree(t), metric(m) {
    const int unused = room - static_cast<int>(most);
#pragma unroll
    for (int i = 0; i < room; ++i) list[i] = i < unused ? -1.0F : first;
  }
  __device__ float reach() const { return list[room - 1]; }
  __device__ void refresh() { bound = largest(reach()); }
  __device__ bool near(const Box& box) const { return metric.near(box, reach()); }
  __device__ bool group_near(const Box& group, const Box& box) const { return squared_gap(group, box) < bound; }
  __device__ bool whole(std::uint32_t, std::uint32_t, const Box&) { return false; }
  __device__ void leaf(std::uint32_t node) {
    metric.each(tree, node, [&](float d2, float, float, float) {
      // What is not nearer than the last of a list leaves that list as it is, so that all lanes may insert at once.
      if (!__any_sync(all_lanes, d2 < reach())) return;
#pragma unroll
      for (int i = room - 1; i > 0; --i) list[i] = fminf(list[i], fmaxf(list[i - 1], d2));
      list[0] = fminf(list[0], d2);
    });
  }
};

/// Blocks that a multiprocessor has registers for: what lists of so many take, without spilling (docs/gpu.md).
template <int room>
inline constexpr int resident_blocks = room <= 24 ? 7 : (room <= 32 ? 6 : (room <= 48 ? 5 : 4));

template <int room>
__global__ void __launch_bounds__(search_threads, resident_blocks<room>)
    list_search(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t leaves, SearchTask task) {
  const std::uint32_t batch_leaf = (blockIdx.x * search_threads + threadIdx.x) / warp_size;
  if (batch_leaf >= leaves) return;  // whole warps
  const Group group(arrays, piece_count, batch_leaf);
  const Tree tree(arrays, group.piece);
  bool asks = group.used && (task.all || group.record.index < tree.piece->rows);
  if (!__any_sync(all_lanes, asks)) return;
  const std::uint64_t squared = task.bounded ? arrays.limits[std::size_t{task.limits} * piece_count + group.piece] : ~std::uint64_t{0};
  if (tree.state->exact == 0) return leave(arrays, 1, batch_leaf, asks);
  // What lies at the first bound or beyond is not looked for: the last distance that float32 tells from others, or the first not within.
  const bool within = squared < static_cast<std::uint64_t>(exact_limit);
  const float first = within ? static_cast<float>(squared) + 1.0F : exact_limit;
  const FloatMetric metric(tree, group, asks);
  float kth;
  std::uint64_t distances = 0;
  {
    NearestList<room> nearest(tree, metric, task.most, first);
    if (!asks) nearest.list[room - 1] = -1.0F;
    walk(tree, group.leaf, nearest);
    kth = nearest.reach();
    if (task.distances) {
#pragma unroll
      for (int i = 0; i < room; ++i) {
        if (nearest.list[i] >= 0.0F) distances += quantised_distance(static_cast<double>(nearest.list[i]));
      }
    }
  }
  const bool lost = asks && !within && kth == exact_limit;
  leave(arrays, 1, batch_leaf, lost);
  asks = asks && !lost;
  if (task.distances) {
    if (asks) {
      arrays.sums[tree.piece->first_point + group.record.index] = distances;
      arrays.moments.n[group.slot] = task.most;
      arrays.moments.reach2[group.slot] = static_cast<double>(kth);
    }
    return;
  }
  if (asks && kth == 0.0F) {
    store_copies(arrays.moments, group.slot, task.most);
    asks = false;
  }
  if (!__any_sync(all_lanes, asks)) return;
  const float reach = kth == first ? first : kth + 1.0F;
  const bool large = asks && !(static_cast<float>(task.most) * reach < exact_limit);
  FloatSumming query(tree, metric, asks && !large ? reach : 0.0F);
  walk(tree, group.leaf, query);
  // Ties that are too many, and sums that float32 does not hold, are few: integers for them would take registers from all.
  const bool later = large || query.sums.n > task.most;
  if (asks) {
    if (later) {
      arrays.moments.reach2[group.slot] = static_cast<double>(reach);
    } else {
      store(arrays.moments, group.slot, query.sums, static_cast<double>(query.farthest));
    }
  }
  leave(arrays, 2, batch_leaf, later);
}

/// The sums over all with d2 < reach, which the list search has left in reach2, of which those at the farthest distance count in the order
/// of (x, y, z) where they are too many.
__global__ void __launch_bounds__(search_threads) tie_search(BatchArrays arrays, std::uint32_t piece_count, SearchTask task) {
  const std::uint32_t count = arrays.left_count[2];
  const std::uint32_t warps = gridDim.x * (search_threads / warp_size);
  for (std::uint32_t i = (blockIdx.x * search_threads + threadIdx.x) / warp_size; i < count; i += warps) {
    const Group group(arrays, piece_count, arrays.left_leaves[2][i]);
    const Tree tree(arrays, group.piece);
    const bool asks = (arrays.left_masks[2][i] >> lane_id() & 1U) != 0;
    const FloatMetric metric(tree, group, asks);
    const float reach = asks ? static_cast<float>(arrays.moments.reach2[group.slot]) : 0.0F;
    Summing<FloatMetric, long long> all(tree, metric, reach);
    walk(tree, group.leaf, all);
    const bool tied = all.sums.n > task.most;
    if (__any_sync(all_lanes, tied)) {
      Summing<FloatMetric, long long> nearer(tree, metric, tied ? reach - 1.0F : 0.0F);
      walk(tree, group.leaf, nearer);
      add_ties(tree, metric, group.leaf, tied, reach - 1.0F, task.most, nearer.sums);
      if (tied) all.sums = nearer.sums;
    }
    if (asks) store(arrays.moments, group.slot, all.sums, static_cast<double>(all.farthest));
  }
}

template <int room>
void launch_list(const BatchPlan& plan, const BatchArrays& arrays, const SearchTask& task, cudaStream_t stream) {
  launch(stream, plan.slots, search_threads, "searching for the nearest neighbours", list_search<room>, arrays,
         static_cast<std::uint32_t>(plan.pieces.size()), plan.slots / fan_out, task);
}

}  // namespace

void search_ties(const BatchPlan& plan, const BatchArrays& arrays, const SearchTask& task, cudaStream_t stream) {
  launch(stream, listed_threads(plan), search_threads, "choosing among neighbours at one distance", tie_search, arrays,
         static_cast<std::uint32_t>(plan.pieces.size()), task);
}

void search_lists(const BatchPlan& plan, const BatchArrays& arrays, const SearchTask& task, cudaStream_t stream) {
  if (task.most <= 8) return launch_list<8>(plan, arrays, task, stream);
  if (task.most <= 16) return launch_list<16>(plan, arrays, task, stream);
  if (task.most <= 20) return launch_list<20>(plan, arrays, task, stream);  // the default of k
  if (task.most <= 24) return launch_list<24>(plan, arrays, task, stream);
  if (task.most <= 32) return launch_list<32>(plan, arrays, task, stream);
  if (task.most <= 48) return launch_list<48>(plan, arrays, task, stream);
  return launch_list<64>(plan, arrays, task, stream);
}

}  // namespace tuile::compute::cuda
