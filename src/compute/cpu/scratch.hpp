#pragma once

#include <cstdint>

#include "tuile/core/buffer.hpp"

namespace tuile::compute::cpu {

/// What one task of the neighbour search writes and forgets. Arrays only grow; the kernels see their addresses (Scratch).
class ScratchMemory;

/// The kernels' view of it: plain pointers.
struct Scratch {
  // Buckets near the group at hand, with their boxes; padded to a multiple of 16 with boxes at infinity.
  float* bucket = nullptr;        ///< their numbers, as a float's bits: they go through the same lanes
  float* box[6] = {};             ///< low x y z, high x y z
  std::uint32_t* full = nullptr;  ///< per 16 buckets, a bit for each one without unused slots
  float* near = nullptr;          ///< those near the query at hand
  std::uint32_t candidates = 0;
  std::uint32_t candidate_capacity = 0;
  float covered = -1;  ///< every bucket within this squared distance of the group is there

  // Neighbours of the query at hand: squared distance and offset. Padded with infinity to a multiple of 16.
  float *d2 = nullptr, *dx = nullptr, *dy = nullptr, *dz = nullptr;
  std::uint32_t list_capacity = 0;

  float* partial = nullptr;  ///< per slot of the group, partial_count × 8 partial sums
  float guess = 0;           ///< k-th squared distance of the last query
  ScratchMemory* memory = nullptr;
};

/// Sums Σdx Σdy Σdz Σdx² Σdxdy Σdxdz Σdy² Σdydz Σdz², then the maxima of d², dz and −dz.
inline constexpr std::uint32_t partial_sums = 9;
inline constexpr std::uint32_t partial_count = 12;

class ScratchMemory {
 public:
  ScratchMemory();
  Scratch& view() noexcept { return view_; }
  /// Room for so many candidates or neighbours, what is there kept. Throws OutOfMemory.
  void grow_candidates(std::uint32_t count);
  void grow_list(std::uint32_t count);

 private:
  Scratch view_;
  Buffer<float> bucket_, near_;
  Buffer<std::uint32_t> full_;
  Buffer<float> boxes_[6];
  Buffer<float> list_[4];
  Buffer<float> partial_;
};

// Called by the kernels, out of line so that nothing of them is compiled for one instruction set and linked into another.
void grow_candidates(Scratch& scratch, std::uint32_t count);
void grow_list(Scratch& scratch, std::uint32_t count);
/// Of the list's first `count` entries keeps the `kept` nearest, ties by (x, y, z), where those up to squared distance `tie` are more
/// than `kept` and those below it fewer. Pads the list.
void resolve_tie(Scratch& scratch, std::uint32_t count, std::uint32_t kept, float tie);

}  // namespace tuile::compute::cpu
