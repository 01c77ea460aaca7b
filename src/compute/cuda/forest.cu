#include <cmath>
#include <utility>

#include "compute/cuda/forest.hpp"
#include "compute/cuda/hilbert.hpp"
#include "compute/cuda/primitives.hpp"
#include "compute/cuda/tree.cuh"

/// From points as they come to a tree for each piece.
namespace tuile::compute::cuda {
namespace {

__global__ void __launch_bounds__(point_threads) clear_states(PieceState* states, std::uint32_t piece_count) {
  const std::uint32_t p = blockIdx.x * point_threads + threadIdx.x;
  if (p >= piece_count) return;
  PieceState state{};
  for (int d = 0; d < 3; ++d) {
    state.low[d] = 0x7fffffff;
    state.high[d] = -0x7fffffff - 1;
  }
  states[p] = state;
}

__device__ inline std::int32_t smallest_of_warp(std::int32_t value) {
  for (int step = 16; step > 0; step /= 2) {
    const std::int32_t other = __shfl_xor_sync(all_lanes, value, step);
    value = other < value ? other : value;
  }
  return value;
}
__device__ inline std::int32_t largest_of_warp(std::int32_t value) {
  for (int step = 16; step > 0; step /= 2) {
    const std::int32_t other = __shfl_xor_sync(all_lanes, value, step);
    value = other > value ? other : value;
  }
  return value;
}

/// Which points are valid, how many, and the box around them. A warp looks at 32 · survey_steps points, mostly of one piece.
constexpr std::uint32_t survey_steps = 16;
__global__ void __launch_bounds__(point_threads)
    survey(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t points, bool has_classes) {
  const std::uint32_t warp = (blockIdx.x * point_threads + threadIdx.x) / warp_size;
  const std::uint32_t begin = warp * warp_size * survey_steps;
  if (begin >= points) return;  // whole warps
  const std::uint32_t end = points - begin < warp_size * survey_steps ? points : begin + warp_size * survey_steps;
  for (std::uint32_t p = piece_of_point(arrays.pieces, piece_count, begin); p < piece_count; ++p) {
    const Piece& piece = arrays.pieces[p];
    if (piece.first_point >= end) return;
    const std::uint32_t from = piece.first_point > begin ? piece.first_point : begin;
    const std::uint32_t to = piece.first_point + piece.points < end ? piece.first_point + piece.points : end;
    std::int32_t low[3] = {0x7fffffff, 0x7fffffff, 0x7fffffff}, high[3] = {-0x7fffffff - 1, -0x7fffffff - 1, -0x7fffffff - 1};
    std::uint32_t valid = 0, removed = 0;
    for (std::uint32_t first = from; first < to; first += warp_size) {
      const std::uint32_t point = first + lane_id();
      const bool here = point < to;
      const bool keep = here && !(has_classes && arrays.excluded[arrays.classes[point]] != 0);
      if (here) arrays.valid[point] = keep ? 1 : 0;
      valid += static_cast<std::uint32_t>(__popc(__ballot_sync(all_lanes, keep)));
      removed += static_cast<std::uint32_t>(__popc(__ballot_sync(all_lanes, here && !keep && point - piece.first_point < piece.rows)));
      if (!keep) continue;
      const GridPoint at = arrays.units[point];
      const std::int32_t c[3] = {at.x, at.y, at.z};
      for (int d = 0; d < 3; ++d) {
        low[d] = c[d] < low[d] ? c[d] : low[d];
        high[d] = c[d] > high[d] ? c[d] : high[d];
      }
    }
    for (int d = 0; d < 3; ++d) {
      low[d] = smallest_of_warp(low[d]);
      high[d] = largest_of_warp(high[d]);
    }
    if (lane_id() != 0) continue;
    PieceState& state = arrays.states[p];
    if (removed > 0) atomicAdd(&state.removed_classes, removed);
    if (valid == 0) continue;
    atomicAdd(&state.valid, valid);
    for (int d = 0; d < 3; ++d) {
      atomicMin(&state.low[d], low[d]);
      atomicMax(&state.high[d], high[d]);
    }
  }
}

/// One thread: there are few pieces.
__global__ void settle(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t axis_bits) {
  if (threadIdx.x != 0) return;
  std::uint32_t before = 0;
  for (std::uint32_t p = 0; p < piece_count; ++p) {
    PieceState& state = arrays.states[p];
    state.first_sorted = before;
    before += state.valid;
    state.exact = 1;
    if (state.valid == 0) continue;
    std::int64_t longest = 0;
    for (int d = 0; d < 3; ++d) {
      const std::int64_t length = std::int64_t{state.high[d]} - state.low[d];
      state.centre[d] = static_cast<std::int32_t>(state.low[d] + length / 2);
      if (length >= 2 * static_cast<std::int64_t>(exact_limit)) state.exact = 0;
      longest = length > longest ? length : longest;
    }
    while (longest >> state.shift >= std::int64_t{1} << axis_bits) ++state.shift;
  }
}

__global__ void __launch_bounds__(point_threads)
    make_keys(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t points, std::uint32_t axis_bits) {
  const std::uint32_t point = blockIdx.x * point_threads + threadIdx.x;
  if (point >= points) return;
  std::uint64_t key = std::uint64_t{piece_count} << 3 * axis_bits;  // behind all
  if (arrays.valid[point] != 0) {
    const std::uint32_t p = piece_of_point(arrays.pieces, piece_count, point);
    const PieceState& state = arrays.states[p];
    const GridPoint at = arrays.units[point];
    const auto cell = [&](std::int32_t value, int d) {
      return (static_cast<std::uint32_t>(value) - static_cast<std::uint32_t>(state.low[d])) >> state.shift;
    };
    key = std::uint64_t{p} << 3 * axis_bits | hilbert_index(cell(at.x, 0), cell(at.y, 1), cell(at.z, 2), axis_bits);
  }
  arrays.keys[0][point] = key;
  arrays.order[0][point] = point;
}

__global__ void __launch_bounds__(point_threads)
    place(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t points, std::uint32_t axis_bits) {
  const std::uint32_t i = blockIdx.x * point_threads + threadIdx.x;
  if (i >= points) return;
  const auto p = static_cast<std::uint32_t>(arrays.keys[0][i] >> 3 * axis_bits);
  if (p >= piece_count) return;
  const Piece& piece = arrays.pieces[p];
  const std::uint32_t point = arrays.order[0][i];
  const GridPoint at = arrays.units[point];
  arrays.slots[0][piece.first_slot + (i - arrays.states[p].first_sorted)] = {at.x, at.y, at.z, point - piece.first_point};
}

/// Coordinates and box of each leaf, a warp a leaf. Leaves without points too.
__global__ void __launch_bounds__(point_threads) make_leaves(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t leaves) {
  const std::uint32_t batch_leaf = (blockIdx.x * point_threads + threadIdx.x) / warp_size;
  if (batch_leaf >= leaves) return;  // whole warps
  const Group group(arrays, piece_count, batch_leaf);
  const Piece& piece = arrays.pieces[group.piece];
  const PieceState& state = arrays.states[group.piece];
  constexpr float infinity = INFINITY;
  const auto relative = [](std::int32_t value, std::int32_t centre) { return static_cast<float>(std::int64_t{value} - centre); };
  const float at[3] = {relative(group.record.x, state.centre[0]), relative(group.record.y, state.centre[1]),
                       relative(group.record.z, state.centre[2])};
  float low[3], high[3];
  float* const to = arrays.coordinates + std::size_t{batch_leaf} * 96 + lane_id();
  for (int d = 0; d < 3; ++d) {
    to[32 * d] = group.used ? at[d] : infinity;
    low[d] = group.used ? at[d] : infinity;
    high[d] = group.used ? at[d] : -infinity;
    for (int step = 16; step > 0; step /= 2) {
      low[d] = fminf(low[d], __shfl_xor_sync(all_lanes, low[d], step));
      high[d] = fmaxf(high[d], __shfl_xor_sync(all_lanes, high[d], step));
    }
    if (state.exact == 0 && low[d] <= high[d]) {  // rounded coordinates: the box must hold the true ones
      low[d] = nextafterf(low[d], -infinity);
      high[d] = nextafterf(high[d], infinity);
    }
  }
  if (lane_id() != 0) return;
  float4* const box = arrays.boxes + 2 * (std::size_t{piece.first_node[0]} + group.leaf);
  box[0] = {low[0], low[1], low[2], 0.0F};
  box[1] = {high[0], high[1], high[2], 0.0F};
}

/// Boxes of one level from those below, a warp a node; every piece has `most` warps.
__global__ void __launch_bounds__(point_threads) make_level(BatchArrays arrays, std::uint32_t most, std::uint32_t level) {
  const std::uint32_t node = (blockIdx.x * point_threads + threadIdx.x) / warp_size;
  const Piece& piece = arrays.pieces[blockIdx.y];
  if (node >= most || level >= piece.levels || node >= piece.nodes[level]) return;  // whole warps
  const std::uint32_t child = node * fan_out + lane_id();
  float4 low{INFINITY, INFINITY, INFINITY, 0.0F}, high{-INFINITY, -INFINITY, -INFINITY, 0.0F};
  if (child < piece.nodes[level - 1]) {
    const float4* const from = arrays.boxes + 2 * (std::size_t{piece.first_node[level - 1]} + child);
    low = from[0];
    high = from[1];
  }
  for (int step = 16; step > 0; step /= 2) {
    low.x = fminf(low.x, __shfl_xor_sync(all_lanes, low.x, step));
    low.y = fminf(low.y, __shfl_xor_sync(all_lanes, low.y, step));
    low.z = fminf(low.z, __shfl_xor_sync(all_lanes, low.z, step));
    high.x = fmaxf(high.x, __shfl_xor_sync(all_lanes, high.x, step));
    high.y = fmaxf(high.y, __shfl_xor_sync(all_lanes, high.y, step));
    high.z = fmaxf(high.z, __shfl_xor_sync(all_lanes, high.z, step));
  }
  if (lane_id() != 0) return;
  float4* const box = arrays.boxes + 2 * (std::size_t{piece.first_node[level]} + node);
  box[0] = low;
  box[1] = high;
}

/// What stays moves up within its piece.
__global__ void __launch_bounds__(point_threads) move_slots(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t slots) {
  const std::uint32_t slot = blockIdx.x * point_threads + threadIdx.x;
  if (slot >= slots) return;
  const Piece& piece = arrays.pieces[piece_of_slot(arrays.pieces, piece_count, slot)];
  if (arrays.keep[slot] == 0) return;
  arrays.slots[1][piece.first_slot + arrays.places[slot] - arrays.places[piece.first_slot]] = arrays.slots[0][slot];
}

__global__ void __launch_bounds__(point_threads) count_kept(BatchArrays arrays, std::uint32_t piece_count) {
  const std::uint32_t p = blockIdx.x * point_threads + threadIdx.x;
  if (p >= piece_count) return;
  const Piece& piece = arrays.pieces[p];
  if (piece.points == 0) return;
  const std::uint32_t last = piece.first_slot + piece.nodes[0] * fan_out - 1;
  arrays.states[p].valid = arrays.places[last] + arrays.keep[last] - arrays.places[piece.first_slot];
}

/// The tree over the slots as they are.
void build(const BatchPlan& plan, const BatchArrays& arrays, cudaStream_t stream) {
  const auto pieces = static_cast<std::uint32_t>(plan.pieces.size());
  launch(stream, plan.slots, point_threads, "making leaves", make_leaves, arrays, pieces, plan.slots / fan_out);
  for (std::uint32_t level = 1; level < plan.levels; ++level) {
    std::uint32_t most = 0;
    for (const Piece& piece : plan.pieces) most = level < piece.levels && piece.nodes[level] > most ? piece.nodes[level] : most;
    launch_for_each(stream, most * warp_size, pieces, point_threads, "making a level of the tree", make_level, arrays, most, level);
  }
}

void empty_slots(const BatchPlan& plan, Slot* slots, cudaStream_t stream) {
  check(cudaMemsetAsync(slots, 0xff, plan.slots * sizeof(Slot), stream), "emptying slots");
}

}  // namespace

void check_code() {
  cudaFuncAttributes attributes;
  check(cudaFuncGetAttributes(&attributes, survey), "looking for code for this device (CMAKE_CUDA_ARCHITECTURES of the build)");
}

void mark(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream) {
  const auto pieces = static_cast<std::uint32_t>(plan.pieces.size());
  launch(stream, pieces, point_threads, "starting a batch", clear_states, arrays.states, pieces);
  const std::uint64_t threads = (std::uint64_t{plan.points} + survey_steps - 1) / survey_steps;
  launch(stream, (threads + warp_size - 1) / warp_size * warp_size, point_threads, "marking points", survey, arrays, pieces, plan.points,
         plan.has_classes);
}

void order(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream) {
  const auto pieces = static_cast<std::uint32_t>(plan.pieces.size());
  check(cudaMemsetAsync(arrays.flags, 0, plan.slots, stream), "clearing flags");
  empty_slots(plan, arrays.slots[0], stream);
  launch(stream, 1, warp_size, "settling pieces", settle, arrays, pieces, plan.axis_bits);
  launch(stream, plan.points, point_threads, "making keys", make_keys, arrays, pieces, plan.points, plan.axis_bits);
  sort_pairs(arrays.temporary, arrays.temporary_bytes, arrays.keys, arrays.order, plan.points, plan.key_bits, stream);
  launch(stream, plan.points, point_threads, "placing points", place, arrays, pieces, plan.points, plan.axis_bits);
  build(plan, arrays, stream);
}

void compact(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream) {
  const auto pieces = static_cast<std::uint32_t>(plan.pieces.size());
  check(cudaMemsetAsync(arrays.flags, 0, plan.slots, stream), "clearing flags");
  empty_slots(plan, arrays.slots[1], stream);
  sum_before(arrays.temporary, arrays.temporary_bytes, arrays.keep, arrays.places, plan.slots, stream);
  launch(stream, plan.slots, point_threads, "moving points up", move_slots, arrays, pieces, plan.slots);
  launch(stream, pieces, point_threads, "counting points", count_kept, arrays, pieces);
  std::swap(arrays.slots[0], arrays.slots[1]);
  build(plan, arrays, stream);
}

}  // namespace tuile::compute::cuda
