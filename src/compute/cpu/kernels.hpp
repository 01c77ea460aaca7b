#pragma once

#include <cstdint>

#include "compute/cpu/batch.hpp"
#include "compute/cpu/tree_view.hpp"
#include "tuile/features/plan.hpp"

namespace tuile::compute {

/// The inner loops, compiled once per instruction set from one source (kernels_body.hpp); every version gives the same bits.
struct Kernels {
  const char* name;  ///< "AVX-512", "AVX2", "portable"

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

}  // namespace tuile::compute
