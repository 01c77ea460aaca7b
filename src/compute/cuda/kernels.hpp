#pragma once

#include <cuda_runtime.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "compute/cells.hpp"
#include "compute/preprocess.hpp"
#include "tuile/compute/backend.hpp"

/// What runs on a device, in order:
///
///   mark()                                   which points are valid, by class
///   order()                                  valid points sorted along a Hilbert curve into leaves of 32 slots, a tree of boxes above
///   distance_sums(), remove_far()            statistical outliers; between the two the host makes the thresholds of the sums
///   remove_sparse()                          radius outliers
///   thin()                                   voxels
///   (attributes: src/compute/cuda/attributes*, which also writes NaN into every computed column of the rows that `valid` says are not)
///   search() per scale, count(), finish()    neighbourhood columns of the valid rows
///   (heights: src/compute/cuda/heights*, which also completes facade_score)
///
/// Everything is queued on one stream and reads what it needs to know from device memory: nothing here waits, allocates, or copies to the
/// host. Throws DeviceError where a launch is refused.
namespace tuile::compute::cuda {

/// Points of a leaf and children of a node of the tree: the lanes of a warp.
inline constexpr std::uint32_t fan_out = 32;
/// Enough for 2^32 points: the top level has at most 32 nodes.
inline constexpr std::uint32_t max_levels = 6;
/// A slot without a point.
inline constexpr std::uint32_t no_row = 0xffffffffU;
/// Squared distances below it are exact in float32.
inline constexpr float exact_limit = 16777216.0F;

/// A rectangle of the plane, units relative to the grid's origin, infinite where a side is open.
struct Sides {
  static constexpr double infinity = std::numeric_limits<double>::infinity();
  double min_x = -infinity, min_y = -infinity, max_x = infinity, max_y = infinity;
};

/// What the host knows of a piece: the points of one tile (or of a block of it) that are searched together, those with an output row
/// first. All of them are in one grid.
struct PieceShape {
  std::uint32_t points = 0;
  std::uint32_t rows = 0;  ///< the first so many points have one each
  Grid grid;
  Sides complete;  ///< bounds + halo of the tile: a neighbourhood reaching beyond is truncated
  Sides given;     ///< what the points are all of, of a block: a neighbourhood reaching beyond is unfinished
};

/// The same with its places, for the device.
struct Piece {
  std::uint32_t points, rows;
  std::uint32_t first_point, first_row;
  std::uint32_t first_slot;              ///< a multiple of 32
  std::uint32_t levels;                  ///< of its tree, the leaves' included
  std::uint32_t first_node[max_levels];  ///< position of the level's boxes; level 0 are the leaves
  std::uint32_t nodes[max_levels];       ///< of the level, were all points valid
  double scale;                          ///< metres per unit
  Sides complete, given;
  CellAxis cells[3];  ///< of voxels, where they are asked for
};

/// What the device found out of a piece. Zeroed by mark(); of interest to the host: what is said below.
struct PieceState {
  std::int32_t low[3], high[3];  ///< of the valid points
  std::int32_t centre[3];
  std::uint32_t exact;  ///< 1: coordinates relative to the centre are exact in float32
  std::uint32_t shift;  ///< coordinates lose so many bits on the Hilbert curve
  std::uint32_t first_sorted;
  std::uint32_t valid;                                                                ///< points, at present
  std::uint32_t removed_classes, removed_statistical, removed_radius, removed_voxel;  ///< host: rows
  std::uint32_t degenerate, truncated;                                                ///< host: rows, unfinished ones in neither
  std::uint32_t unfinished;                                                           ///< host: length of the piece's list
  DistanceSums distances;  ///< host: of the valid rows, unfinished ones left out (distance_sums)
};

/// The neighbourhood columns of one scale.
struct ScalePlan {
  std::uint32_t most = 0;      ///< at most this many neighbours
  bool bounded = false;        ///< radius search
  std::uint32_t limits = 0;    ///< which row of BatchPlan::limits; bounded searches only
  std::uint32_t wanted = 0;    ///< columns
  std::uint8_t feature[40]{};  ///< features::Feature
  std::uint32_t column[40]{};
};

/// All that is decided before a batch's memory is known. Made by plan_batch.
struct BatchPlan {
  std::vector<Piece> pieces;
  std::vector<ScalePlan> scales;                      ///< those with columns
  std::vector<std::uint32_t> count_columns;           ///< of num_points_2m
  std::vector<std::uint64_t> limits;                  ///< squared units: a row per bounded search of one value per piece
  std::uint32_t count_limits = 0, radius_limits = 0;  ///< rows of `limits`: of num_points_2m, of radius outliers
  Preprocess preprocess;                              ///< as asked
  std::array<std::uint8_t, 256> excluded{};           ///< by class
  std::uint32_t columns = 0;                          ///< of a row
  std::uint32_t points = 0, rows = 0;                 ///< of all pieces
  std::uint32_t slots = 0;                            ///< a multiple of 32
  std::uint32_t nodes = 0;                            ///< boxes of all levels of all pieces
  std::uint32_t levels = 0;                           ///< of the highest tree
  std::uint32_t key_bits = 0;                         ///< of the sort
  std::uint32_t axis_bits = 0;                        ///< of the Hilbert curve
  bool has_classes = false;
  bool searches = false;  ///< any neighbourhood column or filter
  /// The constants that the device needs, to be copied to BatchArrays::tables by the caller before mark().
  std::vector<std::byte> tables;
};

/// pieces: at least one; together fewer than 2^31 points. has_classes: the points' classes are uploaded and excluded ones are invalid;
/// else all points are valid.
BatchPlan plan_batch(std::span<const PieceShape> pieces, const features::FeaturePlan& features, const Preprocess& preprocess,
                     bool has_classes);

/// A point in its place in the order.
struct alignas(16) Slot {
  std::int32_t x, y, z;  ///< units as uploaded
  std::uint32_t index;   ///< position in the piece; no_row where the slot is empty
};

/// Neighbourhoods by slot: moments relative to the point itself, as in cpu/batch.hpp.
struct Moments {
  double *n, *xx, *xy, *xz, *yy, *yz, *zz, *reach2, *z_span;
};

/// Device memory of a batch. Arrays the caller fills before mark() are marked "in", those it may fetch at the end "out".
struct BatchArrays {
  std::byte* tables = nullptr;    ///< in: BatchPlan::tables
  const Piece* pieces = nullptr;  ///< inside tables
  const std::uint64_t* limits = nullptr;
  const std::uint8_t* excluded = nullptr;
  const std::uint32_t* count_columns = nullptr;
  PieceState* states = nullptr;         ///< out, one per piece
  GridPoint* units = nullptr;           ///< in: all pieces' points, piece after piece
  std::uint8_t* classes = nullptr;      ///< in: likewise, where has_classes
  std::uint8_t* valid = nullptr;        ///< out: 0 or 1 per point (a piece's rows are its first points); from mark() on
  double* thresholds = nullptr;         ///< in, before remove_far(): one per piece
  std::uint64_t* sums = nullptr;        ///< out, by point: S of the valid ones, 0 of others; from distance_sums() on
  float* values = nullptr;              ///< out: rows × columns, row-major, piece after piece
  std::uint32_t* unfinished = nullptr;  ///< out: from Piece::first_row on, PieceState::unfinished rows of that piece, in no order

  std::uint64_t* keys[2] = {};
  std::uint32_t* order[2] = {};
  std::byte* temporary = nullptr;  ///< of the primitives
  std::size_t temporary_bytes = 0;
  Slot* slots[2] = {};            ///< [0]: in order; [1]: what compaction writes, may overlap the sort's arrays
  float* coordinates = nullptr;   ///< by leaf: 32 x, 32 y, 32 z relative to the piece's centre; infinite where the slot is empty
  float4* boxes = nullptr;        ///< by node: low and high
  std::uint8_t* flags = nullptr;  ///< by slot: what is counted at the end
  Moments moments{};
  /// Leaves with queries that a search has left: [0] to counting, [1] to wide integers, [2] to choosing among ties.
  std::uint32_t* left_leaves[3] = {};
  std::uint32_t* left_masks[3] = {};    ///< the queries' slots
  std::uint32_t* left_count = nullptr;  ///< three lengths
  std::uint32_t* keep = nullptr;        ///< by slot: 1 stays
  std::uint32_t* places = nullptr;      ///< by slot: points kept before it; while points are counted, the counts
};

/// Bytes that a batch needs beside what the attributes are made of, as one block aligned to 256 bytes: where base is not null, `arrays`
/// points into it. The device to be used has to be the current one (the primitives ask it).
std::size_t lay_out(const BatchPlan& plan, std::byte* base, BatchArrays& arrays);

/// Throws DeviceError where this binary has no code for the current device.
void check_code();

// --- phases, in order ---
/// Sets `valid` and zeroes the states. The first phase, and the only one needed where `searches` is not.
void mark(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream);
/// Sorts what is valid and builds the trees.
void order(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream);

/// Statistical outliers: S of every valid point, and the sums over the valid rows into the states. Rows that reach beyond what is given
/// are flagged; finish() lists them.
void distance_sums(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream);
/// Points with (double)S > threshold of their piece become invalid.
void remove_far(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream);
void remove_sparse(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream);
void thin(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream);

/// The columns of plan.scales[scale].
void search(const BatchPlan& plan, BatchArrays& arrays, std::size_t scale, cudaStream_t stream);
/// num_points_2m, where the plan has it.
void count(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream);
/// Counts degenerate and truncated rows, lists the unfinished.
void finish(const BatchPlan& plan, BatchArrays& arrays, cudaStream_t stream);

}  // namespace tuile::compute::cuda
