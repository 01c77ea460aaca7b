#include <algorithm>

#include "compute/cuda/forest.hpp"
#include "compute/cuda/search.hpp"
#include "compute/cuda/tree.cuh"

/// What takes points away.
namespace tuile::compute::cuda {
namespace {

/// A warp's slots, of which those that are `gone` are marked; `removed` counts their rows. Together.
__device__ inline void drop(const BatchArrays& arrays, const Piece& piece, std::uint32_t slot, const Slot& record, bool gone,
                            std::uint32_t& removed) {
  const bool used = record.index != no_row;
  arrays.keep[slot] = used && !gone ? 1U : 0U;
  if (used && gone) arrays.valid[piece.first_point + record.index] = 0;
  const auto rows = static_cast<unsigned>(__popc(__ballot_sync(all_lanes, used && gone && record.index < piece.rows)));
  if (lane_id() == 0 && rows > 0) atomicAdd(&removed, rows);
}

__global__ void __launch_bounds__(point_threads) drop_far(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t slots) {
  const std::uint32_t slot = blockIdx.x * point_threads + threadIdx.x;
  if (slot >= slots) return;  // whole warps, here and below: slots are a multiple of 32
  const Slot record = arrays.slots[0][slot];
  const std::uint32_t p = piece_of_slot(arrays.pieces, piece_count, slot);
  const Piece& piece = arrays.pieces[p];
  const bool gone = record.index != no_row && is_outlier(arrays.sums[piece.first_point + record.index], arrays.thresholds[p]);
  drop(arrays, piece, slot, record, gone, arrays.states[p].removed_statistical);
}

__global__ void __launch_bounds__(point_threads)
    drop_sparse(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t slots, std::uint32_t least) {
  const std::uint32_t slot = blockIdx.x * point_threads + threadIdx.x;
  if (slot >= slots) return;
  const Slot record = arrays.slots[0][slot];
  const std::uint32_t p = piece_of_slot(arrays.pieces, piece_count, slot);
  // The point itself is counted.
  const bool gone = record.index != no_row && arrays.places[slot] <= least;
  drop(arrays, arrays.pieces[p], slot, record, gone, arrays.states[p].removed_radius);
}

/// The coordinates that a cell can have along one axis, relative to the piece's centre. Generous where cells are no whole units.
struct Interval {
  double low, high;
};
__device__ inline Interval interval_of(const CellAxis& axis, std::int64_t cell, std::int32_t centre) {
  if (axis.whole) {
    const std::int64_t low = axis.base + cell * axis.size - centre;
    return {static_cast<double>(low), static_cast<double>(low + axis.size - 1)};
  }
  const double units = 1.0 / axis.cells_per_unit;
  const double low = (axis.first + static_cast<double>(cell)) * units - static_cast<double>(axis.origin + centre);
  const double room = 2.0 + 1e-12 * (fabs(low) + fabs(static_cast<double>(axis.origin)));
  return {low - room, low + units + room};
}

/// Looks for a point of the own cell that comes before the own one.
struct SmallerInCell {
  const Tree& tree;
  const Slot own;
  std::int64_t cell[3];
  Interval sides[3], group[3];
  bool wants;
  bool beaten = false;

  __device__ SmallerInCell(const Tree& t, const Group& g) : tree(t), own(g.record), wants(g.used) {
    const std::int32_t at[3] = {own.x, own.y, own.z};
    for (int d = 0; d < 3; ++d) {
      const CellAxis& axis = tree.piece->cells[d];
      cell[d] = wants ? cell_of(axis, at[d]) : 0;
      sides[d] = interval_of(axis, cell[d], tree.state->centre[d]);
      if (!wants) sides[d] = {Sides::infinity, -Sides::infinity};
      group[d] = {-largest(-sides[d].low), largest(sides[d].high)};
    }
  }
  __device__ static bool meet(const Interval (&a)[3], const Box& box) {
    return box.low.x <= a[0].high && box.high.x >= a[0].low && box.low.y <= a[1].high && box.high.y >= a[1].low && box.low.z <= a[2].high &&
           box.high.z >= a[2].low;
  }
  __device__ void refresh() {}
  __device__ bool near(const Box& box) const { return wants && meet(sides, box); }
  __device__ bool group_near(const Box&, const Box& box) const { return meet(group, box); }
  __device__ bool whole(std::uint32_t, std::uint32_t, const Box&) { return false; }
  __device__ void leaf(std::uint32_t node) {
    const Slot* const at = tree.slots + std::size_t{node} * fan_out;
    for (std::uint32_t i = 0; i < fan_out; ++i) {
      const Slot other = at[i];
      if (other.index == no_row) return;  // the same on all lanes
      if (wants && before(other, own) && same_cell(other)) {
        beaten = true;
        wants = false;
      }
    }
  }
  __device__ bool same_cell(const Slot& other) const {
    const CellAxis* const axes = tree.piece->cells;
    return cell_of(axes[0], other.x) == cell[0] && cell_of(axes[1], other.y) == cell[1] && cell_of(axes[2], other.z) == cell[2];
  }
  __device__ static bool before(const Slot& a, const Slot& b) {
    if (a.x != b.x) return a.x < b.x;
    if (a.y != b.y) return a.y < b.y;
    if (a.z != b.z) return a.z < b.z;
    return a.index < b.index;
  }
};

__global__ void __launch_bounds__(search_threads, 6) drop_larger(BatchArrays arrays, std::uint32_t piece_count, std::uint32_t leaves) {
  const std::uint32_t batch_leaf = (blockIdx.x * search_threads + threadIdx.x) / warp_size;
  if (batch_leaf >= leaves) return;
  const Group group(arrays, piece_count, batch_leaf);
  const Tree tree(arrays, group.piece);
  SmallerInCell query(tree, group);
  walk(tree, group.leaf, query);
  drop(arrays, *tree.piece, group.slot, group.record, query.beaten, arrays.states[group.piece].removed_voxel);
}

}  // namespace

void remove_far(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream) {
  launch(stream, plan.slots, point_threads, "removing statistical outliers", drop_far, arrays,
         static_cast<std::uint32_t>(plan.pieces.size()), plan.slots);
  compact(plan, arrays, stream);
}

void remove_sparse(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream) {
  const auto least = static_cast<std::uint32_t>(std::max(0, plan.preprocess.radius_outliers.min_neighbors));
  count_slots(plan, arrays, plan.radius_limits, least, true, stream);
  launch(stream, plan.slots, point_threads, "removing radius outliers", drop_sparse, arrays, static_cast<std::uint32_t>(plan.pieces.size()),
         plan.slots, least);
  compact(plan, arrays, stream);
}

void thin(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream) {
  launch(stream, plan.slots, search_threads, "thinning to voxels", drop_larger, arrays, static_cast<std::uint32_t>(plan.pieces.size()),
         plan.slots / fan_out);
  compact(plan, arrays, stream);
}

}  // namespace tuile::compute::cuda
