#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "compute/cuda/kernels.hpp"
#include "compute/cuda/launch.hpp"

/// What the lanes of a warp share while they walk over a piece's tree. Every function here that says "together" has to be called by all 32
/// lanes at once.
namespace tuile::compute::cuda {

inline constexpr unsigned all_lanes = 0xffffffffU;

__device__ inline std::uint32_t lane_id() { return threadIdx.x % warp_size; }

/// The largest of all lanes' values. Together.
__device__ inline float largest(float value) {
  for (int step = 16; step > 0; step /= 2) value = fmaxf(value, __shfl_xor_sync(all_lanes, value, step));
  return value;
}
__device__ inline double largest(double value) {
  for (int step = 16; step > 0; step /= 2) value = fmax(value, __shfl_xor_sync(all_lanes, value, step));
  return value;
}

/// a · b + c where nothing is rounded, so that it does not matter whether it is fused.
__device__ inline float exact_muladd(float a, float b, float c) {
#ifdef __CUDA_ARCH__
  return __fmaf_rn(a, b, c);
#else
  return a * b + c;
#endif
}

/// Position of the last element that is not larger than value, of `count` increasing ones, the first not larger.
template <class Get>
__device__ inline std::uint32_t last_not_above(std::uint32_t count, std::uint32_t value, Get&& get) {
  std::uint32_t low = 0, high = count;
  while (high - low > 1) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (get(middle) <= value) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

__device__ inline std::uint32_t piece_of_slot(const Piece* pieces, std::uint32_t count, std::uint32_t slot) {
  return last_not_above(count, slot, [=](std::uint32_t p) { return pieces[p].first_slot; });
}
__device__ inline std::uint32_t piece_of_point(const Piece* pieces, std::uint32_t count, std::uint32_t point) {
  return last_not_above(count, point, [=](std::uint32_t p) { return pieces[p].first_point; });
}

struct Box {
  float4 low, high;
};

/// A piece's tree.
struct Tree {
  const Piece* piece;
  const PieceState* state;
  const float4* boxes;
  const float4* coordinates;  ///< of the piece: a leaf has eight times four x, then y, then z
  const Slot* slots;          ///< of the piece

  __device__ Tree(const BatchArrays& arrays, std::uint32_t p)
      : piece(arrays.pieces + p),
        state(arrays.states + p),
        boxes(arrays.boxes),
        coordinates(reinterpret_cast<const float4*>(arrays.coordinates) + std::size_t{arrays.pieces[p].first_slot} / fan_out * 24),
        slots(arrays.slots[0] + arrays.pieces[p].first_slot) {}

  __device__ Box box(std::uint32_t level, std::uint32_t node) const {
    const float4* const at = boxes + 2 * (std::size_t{piece->first_node[level]} + node);
    return {at[0], at[1]};
  }
  /// Points below a node.
  __device__ std::uint32_t points_of(std::uint32_t level, std::uint32_t node) const {
    const std::uint64_t first = std::uint64_t{node} << 5U * (level + 1);
    const std::uint64_t end = std::uint64_t{node + 1} << 5U * (level + 1);
    const std::uint64_t valid = state->valid;
    return static_cast<std::uint32_t>((end < valid ? end : valid) - (first < valid ? first : valid));
  }
};

/// The squared gap between two boxes. Float32 rounds monotonically: where the coordinates are exact, the gap is never larger than any
/// squared distance between points of the two that is computed in the same way, and exact below 2^24.
__device__ inline float squared_gap(const Box& a, const Box& b) {
  const float x = fmaxf(fmaxf(a.low.x - b.high.x, b.low.x - a.high.x), 0.0F);
  const float y = fmaxf(fmaxf(a.low.y - b.high.y, b.low.y - a.high.y), 0.0F);
  const float z = fmaxf(fmaxf(a.low.z - b.high.z, b.low.z - a.high.z), 0.0F);
  return exact_muladd(z, z, exact_muladd(y, y, x * x));
}

/// Serves a leaf's 32 queries: calls on `query`, nearest in the order of the curve first,
///   leaf(node)                 for every leaf that some lane wants,
/// and asks
///   near(box)                  per lane: wants what is in the box
///   group_near(group, box)     per lane, each about another box: may any lane want what is in it? After refresh().
///   whole(level, node, box)    together: the node has been dealt with as a whole
///   refresh()                  together: what group_near compares with may have changed.
/// Together.
template <class Query>
__device__ inline void walk(const Tree& tree, std::uint32_t own, Query& query) {
  const std::uint32_t lane = lane_id();
  const Box group = tree.box(0, own);
  const auto children = [&](std::uint32_t level, std::uint32_t base) {
    query.refresh();
    bool wanted = false;
    if (base + lane < tree.piece->nodes[level]) wanted = query.group_near(group, tree.box(level, base + lane));
    return __ballot_sync(all_lanes, wanted);
  };
  if (__any_sync(all_lanes, query.near(group)) && !query.whole(0, own, group)) query.leaf(own);
  unsigned pending = 0;  // lane l keeps which children of the node on the way at level l + 1 are still to be looked at
  const std::uint32_t levels = tree.piece->levels;
  for (std::uint32_t up = 1; up <= levels; ++up) {
    std::uint32_t level = up - 1;
    std::uint32_t base = own >> 5U * level & ~31U;
    unsigned mask = children(level, base) & ~(1U << (own >> 5U * level & 31U));
    for (;;) {
      if (mask == 0) {
        if (++level == up) break;
        mask = __shfl_sync(all_lanes, pending, static_cast<int>(level));
        base = base >> 5U & ~31U;
        continue;
      }
      const std::uint32_t node = base + static_cast<std::uint32_t>(__ffs(static_cast<int>(mask)) - 1);
      mask &= mask - 1;
      const Box box = tree.box(level, node);
      if (!__any_sync(all_lanes, query.near(box)) || query.whole(level, node, box)) continue;
      if (level == 0) {
        query.leaf(node);
        continue;
      }
      if (lane == level) pending = mask;
      base = node * fan_out;
      --level;
      mask = children(level, base);
    }
  }
}

/// A leaf of the batch and who asks there: the first thing every searching kernel finds out.
struct Group {
  std::uint32_t piece, leaf;  ///< the leaf counted from the piece's first
  std::uint32_t slot;         ///< of the lane, in the batch
  Slot record;                ///< of the lane
  bool used;                  ///< the lane's slot holds a point

  __device__ Group(const BatchArrays& arrays, std::uint32_t piece_count, std::uint32_t batch_leaf)
      : piece(piece_of_slot(arrays.pieces, piece_count, batch_leaf * fan_out)),
        leaf(batch_leaf - arrays.pieces[piece].first_slot / fan_out),
        slot(batch_leaf * fan_out + lane_id()),
        record(arrays.slots[0][slot]),
        used(record.index != no_row) {}
};

}  // namespace tuile::compute::cuda
