#include <immintrin.h>

#include <cstddef>

#include "compute/cpu/kernels.hpp"
#include "features/neighbourhood_values.hpp"

namespace tuile::compute::cpu {
namespace {
// The order matters: lanes first.
// clang-format off
#include "compute/cpu/lanes_avx512.hpp"
#include "compute/cpu/lanes_eight_avx.hpp"
#include "compute/cpu/kernels_lists.hpp"
#include "compute/cpu/kernels_count.hpp"
#include "compute/cpu/kernels_search.hpp"
#include "compute/cpu/kernels_evaluate.hpp"
// clang-format on
}  // namespace

const Kernels avx512_kernels{"AVX-512", search_group, count_group, evaluate};

}  // namespace tuile::compute::cpu
