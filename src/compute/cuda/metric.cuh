#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "compute/cuda/tree.cuh"

/// Two ways to measure distances from a lane's point. A metric has the types Square (a squared distance in units², compared exactly) and
/// Offset (a difference of coordinates), and
///   each(tree, leaf, take)   together: calls take(d2, dx, dy, dz) for the leaf's slots, the same one on all lanes
///   near(box, reach)         may a point in the box have d2 < reach?
///   inside(box, reach)       have all points in the box d2 < reach, for certain?
///   bound(reach)             together: what group_near compares with
///   group_near(a, b, bound)  may a point of one box be so near to one of the other?
namespace tuile::compute::cuda {

/// Float32, for pieces whose coordinates it holds exactly: right below 2^24, and what is farther comes out as 2^24 or more.
struct FloatMetric {
  using Square = float;
  using Offset = float;
  using Bound = float;
  using Sum = long long;
  static constexpr bool wide = false;
  float x, y, z;

  /// asks: else the lane's point may be missing, and any place does.
  __device__ FloatMetric(const Tree& tree, const Group& group, bool asks) {
    const float* const own = reinterpret_cast<const float*>(tree.coordinates) + std::size_t{group.leaf} * 96 + lane_id();
    x = asks ? own[0] : 0.0F;
    y = asks ? own[32] : 0.0F;
    z = asks ? own[64] : 0.0F;
  }
  /// The largest distance that can be told from farther ones.
  __device__ static Square top(const Tree&) { return exact_limit - 1.0F; }
  __device__ static Square limit(std::uint64_t squared) { return static_cast<float>(squared); }
  __device__ static double number(Square value) { return static_cast<double>(value); }
  __device__ static Square square(double value) { return floorf(static_cast<float>(value)); }
  __device__ static Square half(Square value) { return floorf(value * 0.5F); }

  template <class Take>
  __device__ void each(const Tree& tree, std::uint32_t leaf, Take&& take) const {
    const float4* const at = tree.coordinates + std::size_t{leaf} * 24;
    const auto one = [&](float px, float py, float pz) {
      const float dx = px - x, dy = py - y, dz = pz - z;
      take(exact_muladd(dz, dz, exact_muladd(dy, dy, dx * dx)), dx, dy, dz);
    };
#pragma unroll 1
    for (int i = 0; i < 8; ++i) {
      const float4 px = at[i], py = at[8 + i], pz = at[16 + i];
      one(px.x, py.x, pz.x);
      one(px.y, py.y, pz.y);
      one(px.z, py.z, pz.z);
      one(px.w, py.w, pz.w);
    }
  }
  __device__ float gap(const Box& box) const {
    const float dx = fmaxf(fmaxf(box.low.x - x, x - box.high.x), 0.0F);
    const float dy = fmaxf(fmaxf(box.low.y - y, y - box.high.y), 0.0F);
    const float dz = fmaxf(fmaxf(box.low.z - z, z - box.high.z), 0.0F);
    return exact_muladd(dz, dz, exact_muladd(dy, dy, dx * dx));
  }
  __device__ float far_side(const Box& box) const {
    const float dx = fmaxf(box.high.x - x, x - box.low.x);
    const float dy = fmaxf(box.high.y - y, y - box.low.y);
    const float dz = fmaxf(box.high.z - z, z - box.low.z);
    return exact_muladd(dz, dz, exact_muladd(dy, dy, dx * dx));
  }
  __device__ bool near(const Box& box, Square reach) const { return gap(box) < reach; }
  __device__ bool inside(const Box& box, Square reach) const { return far_side(box) < reach; }
  __device__ static Bound bound(Square reach) { return largest(reach); }
  __device__ static bool group_near(const Box& a, const Box& b, Bound bound) { return squared_gap(a, b) < bound; }
};

__extension__ using Int128 = __int128;
__extension__ using Unsigned128 = unsigned __int128;

/// The double nearest to an integer below 2^125 in magnitude.
__device__ inline double rounded(Int128 value) {
  const bool negative = value < 0;
  const auto magnitude = static_cast<Unsigned128>(negative ? -value : value);
  const double result = nearest_double(static_cast<std::uint64_t>(magnitude >> 64), static_cast<std::uint64_t>(magnitude));
  return negative ? -result : result;
}
__device__ inline double rounded(long long value) { return static_cast<double>(value); }

/// Integers that hold any distance: of 64 bits where coordinates are exact in float32 (they differ by less than 2^26), else of 128. Boxes
/// are compared in doubles, with more room than rounding takes.
template <class Integer>
struct WideMetric {
  using Square = Integer;
  using Offset = long long;
  using Bound = double;
  using Sum = Int128;
  static constexpr bool wide = true;
  static constexpr double less = 1 - 1e-12, more = 1 + 1e-12;
  long long x, y, z;              ///< units
  double from_x, from_y, from_z;  ///< relative to the piece's centre

  __device__ WideMetric(const Tree& tree, const Group& group, bool)
      : x(group.record.x),
        y(group.record.y),
        z(group.record.z),
        from_x(static_cast<double>(x - tree.state->centre[0])),
        from_y(static_cast<double>(y - tree.state->centre[1])),
        from_z(static_cast<double>(z - tree.state->centre[2])) {}
  __device__ static Square top(const Tree& tree) {
    const PieceState& state = *tree.state;
    Square sum = 0;
    for (int d = 0; d < 3; ++d) {
      const auto length = static_cast<Square>(static_cast<long long>(state.high[d]) - state.low[d]);
      sum += length * length;
    }
    return sum;
  }
  __device__ static Square limit(std::uint64_t squared) { return squared; }
  __device__ static Square half(Square value) { return value / 2; }
  __device__ static double number(Square value) {
    if constexpr (sizeof(Square) == 16) {
      return nearest_double(static_cast<std::uint64_t>(value >> 64), static_cast<std::uint64_t>(value));
    } else {
      return static_cast<double>(value);
    }
  }
  __device__ static Square square(double value) {
    if constexpr (sizeof(Square) == 16) {
      const double upper = floor(value * (1.0 / 18446744073709551616.0));
      return static_cast<Square>(static_cast<std::uint64_t>(upper)) << 64 |
             static_cast<Square>(static_cast<std::uint64_t>(value - upper * 18446744073709551616.0));
    } else {
      return static_cast<Square>(value);
    }
  }

  template <class Take>
  __device__ void each(const Tree& tree, std::uint32_t leaf, Take&& take) const {
    const Slot* const at = tree.slots + std::size_t{leaf} * fan_out;
#pragma unroll 1
    for (std::uint32_t i = 0; i < fan_out; ++i) {
      const Slot slot = at[i];
      if (slot.index == no_row) return;  // the same on all lanes: slots are filled from the front
      const long long dx = slot.x - x, dy = slot.y - y, dz = slot.z - z;
      const auto square = [](long long d) {
        const auto length = static_cast<Square>(d < 0 ? -d : d);
        return length * length;
      };
      take(square(dx) + square(dy) + square(dz), dx, dy, dz);
    }
  }
  __device__ bool near(const Box& box, Square reach) const {
    const double dx = fmax(fmax(box.low.x - from_x, from_x - box.high.x), 0.0);
    const double dy = fmax(fmax(box.low.y - from_y, from_y - box.high.y), 0.0);
    const double dz = fmax(fmax(box.low.z - from_z, from_z - box.high.z), 0.0);
    return (dx * dx + dy * dy + dz * dz) * less < number(reach) * more;
  }
  __device__ bool inside(const Box& box, Square reach) const {
    const double dx = fmax(box.high.x - from_x, from_x - box.low.x);
    const double dy = fmax(box.high.y - from_y, from_y - box.low.y);
    const double dz = fmax(box.high.z - from_z, from_z - box.low.z);
    return (dx * dx + dy * dy + dz * dz) * more < number(reach) * less;
  }
  __device__ static Bound bound(Square reach) { return largest(number(reach) * more); }
  __device__ static bool group_near(const Box& a, const Box& b, Bound bound) {
    return static_cast<double>(squared_gap(a, b)) * (1 - 1e-5) < bound;
  }
};

}  // namespace tuile::compute::cuda
