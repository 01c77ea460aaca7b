#include <cmath>

#include "compute/cuda/search.hpp"
#include "compute/cuda/tree.cuh"
#include "features/neighbourhood_values.hpp"

/// From neighbourhoods to columns, one thread a slot, and what is said of the rows beside.
namespace tuile::compute::cuda {
namespace {

constexpr unsigned degenerate = 1, truncated = 2, unfinished = 4;  // flags

/// Distance to the nearest side, units; negative outside.
__device__ inline double to_side(const Sides& sides, const Slot& at) {
  return fmin(fmin(at.x - sides.min_x, sides.max_x - at.x), fmin(at.y - sides.min_y, sides.max_y - at.y));
}

/// What follows from an answer's dependence on all points within √reach2.
__device__ inline unsigned look_beyond(const Piece& piece, const Slot& at, double reach2) {
  const double edge = to_side(piece.complete, at), given = to_side(piece.given, at);
  return (edge < 0 || reach2 > edge * edge ? truncated : 0U) | (reach2 > given * given ? unfinished : 0U);
}

/// The square up to which a neighbourhood depends on points.
__device__ inline double dependence(double n, double reach2, std::uint32_t most, bool bounded, std::uint64_t limit) {
  if (n >= most) return reach2;
  return bounded ? static_cast<double>(limit) : Sides::infinity;
}

struct WriteValue {
  const features::NeighbourhoodValues& from;
  float* to;
  template <features::Feature feature>
  __device__ void operator()() const {
    *to = static_cast<float>(features::neighbourhood_value<feature>(from));
  }
};

__global__ void __launch_bounds__(point_threads)
    evaluate(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t slots, std::uint32_t columns, ScalePlan scale) {
  const std::uint32_t slot = blockIdx.x * point_threads + threadIdx.x;
  if (slot >= slots) return;
  const Slot record = arrays.slots[0][slot];
  if (record.index == no_row) return;
  const std::uint32_t p = piece_of_slot(arrays.pieces, piece_count, slot);
  const Piece& piece = arrays.pieces[p];
  if (record.index >= piece.rows) return;
  const Moments& m = arrays.moments;
  features::NeighbourhoodValues v;
  v.n = m.n[slot];
  v.zz = m.zz[slot];
  v.reach2 = m.reach2[slot];
  v.z_span = m.z_span[slot];
  v.scale = piece.scale;
  v.shape = features::shape_of(v.n, m.xx[slot], m.xy[slot], m.xz[slot], m.yy[slot], m.yz[slot], v.zz, v.scale);
  v.unit = features::ratio_unit(v.n, v.shape);
  float* const row = arrays.values + (std::size_t{piece.first_row} + record.index) * columns;
  for (std::uint32_t f = 0; f < scale.wanted; ++f) {
    features::with_neighbourhood_feature(static_cast<features::Feature>(scale.feature[f]), WriteValue{v, row + scale.column[f]});
  }
  const std::uint64_t limit = scale.bounded ? arrays.limits[std::size_t{scale.limits} * piece_count + p] : 0;
  unsigned flags = look_beyond(piece, record, dependence(v.n, v.reach2, scale.most, scale.bounded, limit));
  if (features::is_degenerate(v.n, v.shape.l1)) flags |= degenerate;
  arrays.flags[slot] = static_cast<std::uint8_t>(arrays.flags[slot] | flags);
}

__global__ void __launch_bounds__(point_threads) write_counts(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t slots,
                                                              std::uint32_t columns, std::uint32_t wanted, std::uint32_t limits) {
  const std::uint32_t slot = blockIdx.x * point_threads + threadIdx.x;
  if (slot >= slots) return;
  const Slot record = arrays.slots[0][slot];
  if (record.index == no_row) return;
  const std::uint32_t p = piece_of_slot(arrays.pieces, piece_count, slot);
  const Piece& piece = arrays.pieces[p];
  if (record.index >= piece.rows) return;
  float* const row = arrays.values + (std::size_t{piece.first_row} + record.index) * columns;
  for (std::uint32_t c = 0; c < wanted; ++c) row[arrays.count_columns[c]] = static_cast<float>(arrays.places[slot]);
  const double limit = static_cast<double>(arrays.limits[std::size_t{limits} * piece_count + p]);
  arrays.flags[slot] = static_cast<std::uint8_t>(arrays.flags[slot] | look_beyond(piece, record, limit));
}

/// Adds the lanes' values of a warp that all belong to one piece. Together.
__device__ inline std::uint64_t warp_sum(std::uint64_t value) {
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(all_lanes, value, step);
  return value;
}

__device__ inline void add_up(std::uint64_t* to, std::uint64_t value) {
  const std::uint64_t sum = warp_sum(value);
  if (lane_id() == 0 && sum != 0) atomicAdd(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(sum));
}

/// The sums of distances of the rows into the states. A warp serves a leaf.
__global__ void __launch_bounds__(point_threads)
    sum_distances(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t slots, std::uint32_t most) {
  const std::uint32_t slot = blockIdx.x * point_threads + threadIdx.x;
  if (slot >= slots) return;  // whole warps: slots are a multiple of 32
  const Slot record = arrays.slots[0][slot];
  const std::uint32_t p = piece_of_slot(arrays.pieces, piece_count, slot);
  const Piece& piece = arrays.pieces[p];
  DistanceSums sums{};
  if (record.index != no_row && record.index < piece.rows) {
    const double reach2 = dependence(arrays.moments.n[slot], arrays.moments.reach2[slot], most, false, 0);
    const unsigned flags = look_beyond(piece, record, reach2) & unfinished;
    arrays.flags[slot] = static_cast<std::uint8_t>(arrays.flags[slot] | flags);
    if (flags == 0) add_distances(sums, arrays.sums[piece.first_point + record.index]);
  }
  DistanceSums& to = arrays.states[p].distances;
  add_up(&to.count, sums.count);
  for (int i = 0; i < 2; ++i) add_up(&to.sum[i], sums.sum[i]);
  for (int i = 0; i < 4; ++i) add_up(&to.squares[i], sums.squares[i]);
}

/// A warp serves a leaf.
__global__ void __launch_bounds__(point_threads) count_flags(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t slots) {
  const std::uint32_t slot = blockIdx.x * point_threads + threadIdx.x;
  if (slot >= slots) return;  // whole warps
  const Slot record = arrays.slots[0][slot];
  const std::uint32_t p = piece_of_slot(arrays.pieces, piece_count, slot);
  const Piece& piece = arrays.pieces[p];
  const bool is_row = record.index != no_row && record.index < piece.rows;
  const unsigned flags = is_row ? arrays.flags[slot] : 0U;
  const unsigned open = __ballot_sync(all_lanes, (flags & unfinished) != 0);
  const unsigned bad = __ballot_sync(all_lanes, (flags & degenerate) != 0) & ~open;
  const unsigned cut = __ballot_sync(all_lanes, (flags & truncated) != 0) & ~open;
  PieceState& state = arrays.states[p];
  const std::uint32_t lane = lane_id();
  std::uint32_t first = 0;
  if (lane == 0) {
    if (bad != 0) atomicAdd(&state.degenerate, static_cast<unsigned>(__popc(bad)));
    if (cut != 0) atomicAdd(&state.truncated, static_cast<unsigned>(__popc(cut)));
    if (open != 0) first = atomicAdd(&state.unfinished, static_cast<unsigned>(__popc(open)));
  }
  first = __shfl_sync(all_lanes, first, 0);
  if ((open >> lane & 1U) != 0) {
    arrays.unfinished[piece.first_row + first + static_cast<unsigned>(__popc(open & ((1U << lane) - 1U)))] = record.index;
  }
}

}  // namespace

void clear_lists(const BatchArrays& arrays, cudaStream_t stream) {
  check(cudaMemsetAsync(arrays.left_count, 0, 3 * sizeof(std::uint32_t), stream), "clearing the lists of queries");
}

void search_slots(const BatchPlan& plan, const BatchArrays& arrays, const SearchTask& task, cudaStream_t stream) {
  clear_lists(arrays, stream);
  if (task.most <= longest_list) {
    search_lists(plan, arrays, task, stream);
    if (!task.distances) search_ties(plan, arrays, task, stream);
  } else if (task.bounded) {
    search_balls(plan, arrays, task, stream);
    search_by_counting(plan, arrays, task, true, stream);
  } else {
    search_by_counting(plan, arrays, task, false, stream);
  }
  search_wide(plan, arrays, task, stream);
}

void search(const BatchPlan& plan, BatchArrays& arrays, std::size_t scale, cudaStream_t stream) {
  const ScalePlan& wanted = plan.scales[scale];
  search_slots(plan, arrays, {.most = wanted.most, .limits = wanted.limits, .bounded = wanted.bounded, .all = false, .distances = false},
               stream);
  launch(stream, plan.slots, point_threads, "evaluating features", evaluate, arrays, static_cast<std::uint32_t>(plan.pieces.size()),
         plan.slots, plan.columns, wanted);
}

void count(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream) {
  if (plan.count_columns.empty()) return;
  count_slots(plan, arrays, plan.count_limits, 0xffffffffU, false, stream);
  launch(stream, plan.slots, point_threads, "writing counts", write_counts, arrays, static_cast<std::uint32_t>(plan.pieces.size()),
         plan.slots, plan.columns, static_cast<std::uint32_t>(plan.count_columns.size()), plan.count_limits);
}

void distance_sums(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream) {
  const int k = plan.preprocess.statistical_outliers.k;
  if (k <= 0) return;
  // The point itself is the first of its neighbours, at distance 0.
  const auto most = static_cast<std::uint32_t>(k) + 1;
  check(cudaMemsetAsync(arrays.sums, 0, plan.points * sizeof(std::uint64_t), stream), "clearing sums");
  search_slots(plan, arrays, {.most = most, .limits = 0, .bounded = false, .all = true, .distances = true}, stream);
  launch(stream, plan.slots, point_threads, "summing distances", sum_distances, arrays, static_cast<std::uint32_t>(plan.pieces.size()),
         plan.slots, most);
}

void finish(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream) {
  launch(stream, plan.slots, point_threads, "counting rows", count_flags, arrays, static_cast<std::uint32_t>(plan.pieces.size()),
         plan.slots);
}

}  // namespace tuile::compute::cuda
