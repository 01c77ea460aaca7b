#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "compute/cuda/queries.cuh"

/// Any number of neighbours without a list of them: a squared distance is sought within which there are just so many, by counting within
/// trial ones. Boxes wholly inside are counted without a look at their points.
namespace tuile::compute::cuda {

/// The state of one query: thresholds below `low` hold too few points, `below` of them within low − 1; within `high` there are enough.
template <class Metric>
struct Bisection {
  using Square = typename Metric::Square;
  Square low = 0, high, trial;
  std::uint32_t below = 0, within = 0;  ///< points within low − 1, within high
  bool known = false;                   ///< `within` is
  bool done, few = false, tied = false;

  __device__ Bisection(bool asks, Square top, double first) : high(top), trial(Metric::square(first)), done(!asks) {
    if (trial > top) trial = top;
  }

  /// n points lie within `trial`: more than `most` may be fewer than there are, but not down to it.
  __device__ void take(std::uint32_t n, std::uint32_t most, bool halve) {
    if (n == most) {
      high = trial;
      within = n;
      done = true;
    } else if (n < most) {
      if (trial == high && !known) {
        below = n;
        few = done = true;
        return;
      }
      below = n;
      low = trial + 1;
    } else {
      high = trial;
      within = n;
      known = true;
    }
    if (done) return;
    if (known && low == high) {
      tied = done = true;
      return;
    }
    next(most, halve);
  }

 private:
  __device__ void next(std::uint32_t most, bool halve) {
    // The points of a surface grow with the squared radius.
    if (!known) {
      const double last = Metric::number(trial);
      const double growth = below * 4 < most ? 4.0 : 1.4 * most / below;
      const double grown = (last + 1.0) * growth;
      trial = grown < Metric::number(high) ? Metric::square(grown) : high;
    } else if (halve) {
      trial = low + Metric::half(high - low);
    } else {
      const double share = (static_cast<double>(most) - below) / (static_cast<double>(within) - below);
      trial = low + Metric::square(Metric::number(high - low) * share);
    }
    if (trial < low) trial = low;
    if (known && trial >= high) trial = high - 1;
    if (trial > high) trial = high;
  }
};

/// Sums of quantised distances.
template <class Metric>
struct Measuring : Reaching<Metric> {
  using Base = Reaching<Metric>;
  using Base::Base;
  std::uint64_t sum = 0;
  __device__ void leaf(std::uint32_t node) {
    this->metric.each(this->tree, node, [&](auto d2, auto, auto, auto) {
      if (d2 < this->reach) sum += quantised_distance(Metric::number(d2));
    });
  }
};

/// Serves one leaf. Returns whether the lane's query is left to a wider metric. Together.
template <class Metric>
__device__ inline bool search_counting(const BatchArrays& arrays, std::uint32_t piece_count, const SearchTask& task, const Tree& tree,
                                       const Group& group, bool asks) {
  using Square = typename Metric::Square;
  const Metric metric(tree, group, asks);
  Square top = Metric::top(tree);
  bool all_within_top = Metric::wide;  // nothing lies beyond
  if (task.bounded) {
    const std::uint64_t squared = arrays.limits[std::size_t{task.limits} * piece_count + group.piece];
    const Square limit = Metric::limit(squared);
    if (limit <= top) {
      top = limit;
      all_within_top = true;
    }
  }
  // As many points as wanted lie, by the density of the leaf's box, within:
  const Box box = tree.box(0, group.leaf);
  const double a = static_cast<double>(box.high.x) - box.low.x, b = static_cast<double>(box.high.y) - box.low.y,
               c = static_cast<double>(box.high.z) - box.low.z;
  const double longest = fmax(fmax(a, b), c), shortest = fmin(fmin(a, b), c), middle = a + b + c - longest - shortest;
  const double first = longest * (middle + 1.0) * task.most / 96.0;
  Bisection<Metric> search(asks, top, first < Metric::number(top) ? first : Metric::number(top));
  for (bool halve = false; __any_sync(all_lanes, !search.done); halve = !halve) {
    Counting<Metric> counting(tree, metric, search.done ? 0 : search.trial + 1);
    counting.most = task.most < 0x10000000U ? 4 * task.most + 64 : task.most;
    walk(tree, group.leaf, counting);
    if (!search.done) search.take(counting.count, task.most, halve);
  }
  const bool left = asks && search.few && !all_within_top;
  asks = asks && !left;
  const Square reach = !asks ? 0 : (search.tied ? search.high : search.high + 1);
  if (task.distances) {
    Measuring<Metric> measuring(tree, metric, reach);
    walk(tree, group.leaf, measuring);
    if (asks) {
      const std::uint64_t tied = search.tied ? task.most - search.below : 0;
      const double farthest = Metric::number(search.high);
      arrays.sums[tree.piece->first_point + group.record.index] = measuring.sum + tied * quantised_distance(farthest);
      arrays.moments.n[group.slot] = search.few ? search.below : task.most;
      arrays.moments.reach2[group.slot] = farthest;
    }
    return left;
  }
  Summing<Metric, typename Metric::Sum> summing(tree, metric, reach);
  walk(tree, group.leaf, summing);
  if (asks && search.tied && search.high == 0) summing.sums.n = task.most;  // copies of the point, however many: all alike
  const bool tied = asks && search.tied && search.high != 0;
  if (__any_sync(all_lanes, tied)) {
    add_ties(tree, metric, group.leaf, tied, search.high, task.most, summing.sums);
    if (tied) summing.farthest = search.high;
  }
  if (asks) store(arrays.moments, group.slot, summing.sums, Metric::number(summing.farthest));
  return left;
}

}  // namespace tuile::compute::cuda
