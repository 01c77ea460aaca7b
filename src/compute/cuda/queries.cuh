#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "compute/cuda/metric.cuh"
#include "compute/cuda/search.hpp"

/// What walks over the tree look for (walk in tree.cuh). Every lane has its own `reach`: it takes points with d2 < reach, and asks for
/// nothing where that is 0.
namespace tuile::compute::cuda {

template <class Metric>
struct Reaching {
  using Square = typename Metric::Square;
  const Tree& tree;
  const Metric& metric;
  Square reach;
  typename Metric::Bound bound{};

  __device__ Reaching(const Tree& t, const Metric& m, Square r) : tree(t), metric(m), reach(r) {}
  __device__ void refresh() { bound = Metric::bound(reach); }
  __device__ bool near(const Box& box) const { return metric.near(box, reach); }
  __device__ bool group_near(const Box& group, const Box& box) const { return Metric::group_near(group, box, bound); }
  __device__ bool whole(std::uint32_t, std::uint32_t, const Box&) { return false; }
};

/// How many points; a lane stops once it has more than `most`.
template <class Metric>
struct Counting : Reaching<Metric> {
  using Base = Reaching<Metric>;
  using Base::Base;
  std::uint32_t most = 0xffffffffU;
  std::uint32_t count = 0;

  __device__ bool whole(std::uint32_t level, std::uint32_t node, const Box& box) {
    const bool wants = this->near(box);
    const bool inside = wants && this->metric.inside(box, this->reach);
    if (__any_sync(all_lanes, wants && !inside)) return false;
    if (inside) add(this->tree.points_of(level, node));
    return true;
  }
  __device__ void leaf(std::uint32_t node) {
    std::uint32_t found = 0;
    this->metric.each(this->tree, node, [&](auto d2, auto, auto, auto) { found += d2 < this->reach ? 1U : 0U; });
    add(found);
  }
  __device__ void add(std::uint32_t found) {
    count += found;
    if (count > most) this->reach = 0;
  }
};

/// Sums of a neighbourhood, exact as long as Number holds them.
template <class Number>
struct Sums {
  std::uint32_t n = 0;
  Number x = 0, y = 0, z = 0, xx = 0, xy = 0, xz = 0, yy = 0, yz = 0, zz = 0, top = 0, bottom = 0;

  __device__ void take(Number dx, Number dy, Number dz, Number times = 1) {
    x += times * dx;
    y += times * dy;
    z += times * dz;
    xx += times * dx * dx;
    xy += times * dx * dy;
    xz += times * dx * dz;
    yy += times * dy * dy;
    yz += times * dy * dz;
    zz += times * dz * dz;
    top = dz > top ? dz : top;
    bottom = dz < bottom ? dz : bottom;
  }
};

/// Sums over all points; a lane stops once it has more than `most`, and its sums mean nothing then.
template <class Metric, class Number>
struct Summing : Reaching<Metric> {
  using Base = Reaching<Metric>;
  using Base::Base;
  std::uint32_t most = 0xffffffffU;
  typename Metric::Square farthest = 0;
  Sums<Number> sums;

  __device__ void leaf(std::uint32_t node) {
    this->metric.each(this->tree, node, [&](auto d2, auto dx, auto dy, auto dz) {
      if (!(d2 < this->reach)) return;
      sums.n += 1;
      sums.take(static_cast<Number>(dx), static_cast<Number>(dy), static_cast<Number>(dz));
      farthest = d2 > farthest ? d2 : farthest;
    });
    if (sums.n > most) this->reach = 0;
  }
};

/// Sums in float32, exact while n · reach stays below 2^24.
struct FloatSumming : Reaching<FloatMetric> {
  using Reaching<FloatMetric>::Reaching;
  std::uint32_t most = 0xffffffffU;
  float farthest = 0.0F;
  Sums<float> sums;

  __device__ void leaf(std::uint32_t node) {
    metric.each(tree, node, [&](float d2, float dx, float dy, float dz) {
      const bool inside = d2 < reach;
      if (!__any_sync(all_lanes, inside)) return;
      // Without a branch of its own for every lane: what is outside adds zeros. (0 · ∞ would not be one: select, then multiply.)
      dx = inside ? dx : 0.0F;
      dy = inside ? dy : 0.0F;
      dz = inside ? dz : 0.0F;
      sums.n += inside ? 1U : 0U;
      sums.x += dx;
      sums.y += dy;
      sums.z += dz;
      sums.xx = exact_muladd(dx, dx, sums.xx);
      sums.xy = exact_muladd(dx, dy, sums.xy);
      sums.xz = exact_muladd(dx, dz, sums.xz);
      sums.yy = exact_muladd(dy, dy, sums.yy);
      sums.yz = exact_muladd(dy, dz, sums.yz);
      sums.zz = exact_muladd(dz, dz, sums.zz);
      sums.top = fmaxf(sums.top, dz);
      sums.bottom = fminf(sums.bottom, dz);
      farthest = fmaxf(farthest, inside ? d2 : 0.0F);
    });
    if (sums.n > most) reach = 0.0F;
  }
};

/// Of the points at exactly d2 = reach − 1, those that come first by (x, y, z) after the last found, and how many they are.
template <class Metric>
struct NextTie : Reaching<Metric> {
  using Base = Reaching<Metric>;
  using Base::Base;
  using Offset = typename Metric::Offset;
  bool any_before = false;  ///< `last` is set
  Offset last_x = 0, last_y = 0, last_z = 0;
  std::uint32_t count = 0;
  Offset x = 0, y = 0, z = 0;

  __device__ static bool before(Offset ax, Offset ay, Offset az, Offset bx, Offset by, Offset bz) {
    return ax != bx ? ax < bx : (ay != by ? ay < by : az < bz);
  }
  /// Boxes wholly nearer have no tie.
  __device__ bool near(const Box& box) const { return Base::near(box) && !this->metric.inside(box, this->reach - 1); }
  __device__ void leaf(std::uint32_t node) {
    this->metric.each(this->tree, node, [&](auto d2, Offset dx, Offset dy, Offset dz) {
      if (this->reach == 0 || d2 != this->reach - 1) return;
      if (any_before && !before(last_x, last_y, last_z, dx, dy, dz)) return;
      if (count > 0 && dx == x && dy == y && dz == z) {
        ++count;
        return;
      }
      if (count > 0 && before(x, y, z, dx, dy, dz)) return;
      count = 1;
      x = dx;
      y = dy;
      z = dz;
    });
  }
};

/// Adds to `sums`, which hold all nearer ones, as many of the points at exactly `kth` as `sums.n` lacks of `most`. Lanes where `tied` is
/// not set get nothing. Together.
template <class Metric, class Number>
__device__ inline void add_ties(const Tree& tree, const Metric& metric, std::uint32_t leaf, bool tied, typename Metric::Square kth,
                                std::uint32_t most, Sums<Number>& sums) {
  NextTie<Metric> ties(tree, metric, tied ? kth + 1 : 0);
  while (__any_sync(all_lanes, ties.reach != 0)) {
    ties.count = 0;
    walk(tree, leaf, ties);
    if (ties.reach == 0) continue;
    const std::uint32_t wanted = most - sums.n, taken = ties.count < wanted ? ties.count : wanted;
    sums.n += taken;
    if (taken > 0)
      sums.take(static_cast<Number>(ties.x), static_cast<Number>(ties.y), static_cast<Number>(ties.z), static_cast<Number>(taken));
    if (sums.n == most || taken == 0) ties.reach = 0;
    ties.any_before = true;
    ties.last_x = ties.x;
    ties.last_y = ties.y;
    ties.last_z = ties.z;
  }
}

/// Writes a neighbourhood to its slot.
template <class Number>
__device__ inline void store(const Moments& to, std::size_t slot, const Sums<Number>& sums, double reach2) {
  using Whole = std::conditional_t<sizeof(Number) == 16, Int128, long long>;
  const auto moment = [&](Number product, Number a, Number b) {
    return rounded(static_cast<Whole>(sums.n) * static_cast<Whole>(product) - static_cast<Whole>(a) * static_cast<Whole>(b));
  };
  to.n[slot] = static_cast<double>(sums.n);
  to.xx[slot] = moment(sums.xx, sums.x, sums.x);
  to.xy[slot] = moment(sums.xy, sums.x, sums.y);
  to.xz[slot] = moment(sums.xz, sums.x, sums.z);
  to.yy[slot] = moment(sums.yy, sums.y, sums.y);
  to.yz[slot] = moment(sums.yz, sums.y, sums.z);
  to.zz[slot] = moment(sums.zz, sums.z, sums.z);
  to.reach2[slot] = reach2;
  to.z_span[slot] = static_cast<double>(static_cast<long long>(sums.top) - static_cast<long long>(sums.bottom));
}
/// The neighbours are n copies of the point itself.
__device__ inline void store_copies(const Moments& to, std::size_t slot, std::uint32_t n) {
  Sums<long long> sums;
  sums.n = n;
  store(to, slot, sums, 0.0);
}

/// Adds the queries of a leaf to what is left to another search (BatchArrays::left_leaves). Together.
__device__ inline void leave(const BatchArrays& arrays, int list, std::uint32_t batch_leaf, bool left) {
  const unsigned mask = __ballot_sync(all_lanes, left);
  if (mask == 0 || lane_id() != 0) return;
  const std::uint32_t at = atomicAdd(arrays.left_count + list, 1U);
  arrays.left_leaves[list][at] = batch_leaf;
  arrays.left_masks[list][at] = mask;
}

}  // namespace tuile::compute::cuda
