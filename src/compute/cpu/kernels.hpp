#pragma once

#include <cstdint>

#include "compute/cpu/batch.hpp"
#include "compute/cpu/scratch.hpp"
#include "compute/cpu/tree_view.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::compute::cpu {

/// The inner loops, compiled once per instruction set from one source (kernels_lists.hpp, kernels_count.hpp, kernels_search.hpp,
/// kernels_evaluate.hpp); every version gives the same bits.
struct Kernels {
  const char* name;  ///< "AVX-512", "AVX2", "portable"

  /// Neighbourhoods of the points of the group at `node` whose slots are set in `queries`, or the sums of their distances. Returns the
  /// slots left to ExactSearch.
  std::uint64_t (*search)(const TreeView& tree, std::uint32_t node, const Search& search, std::uint64_t queries, Scratch& scratch,
                          Batch& batch);
  /// For the same points, how many lie within √limit units. False where ExactSearch has to count.
  bool (*count)(const TreeView& tree, std::uint32_t node, std::uint64_t limit, std::uint64_t queries, Scratch& scratch,
                std::uint32_t* counts);

  /// Values of `count` features of all slots of a batch: out[feature][slot]. facade_score is left without its height factor.
  /// Returns a bit per slot: the neighbourhood is degenerate.
  std::uint64_t (*evaluate)(const Batch& batch, double scale, const features::Feature* wanted, std::uint32_t count,
                            float (*out)[group_size]);
};

/// The fastest version that this processor can run. TUILE_SIMD=portable|avx2|avx512 overrides, for tests.
/// Throws InvalidArgument where the override names a version that is unknown or cannot run here.
const Kernels& select_kernels();

extern const Kernels portable_kernels;
#ifdef TUILE_X86_KERNELS
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#endif

}  // namespace tuile::compute::cpu
