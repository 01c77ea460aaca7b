#include <cstddef>

#include "compute/cpu/kernels.hpp"
#include "features/neighbourhood_values.hpp"

namespace tuile::compute::cpu {
namespace {
// The order matters: lanes first.
// clang-format off
#include "compute/cpu/lanes_portable.hpp"
#include "compute/cpu/kernels_lists.hpp"
#include "compute/cpu/kernels_count.hpp"
#include "compute/cpu/kernels_search.hpp"
#include "compute/cpu/kernels_evaluate.hpp"
// clang-format on
}  // namespace

const Kernels portable_kernels{"portable", search_group, count_group, evaluate};

}  // namespace tuile::compute::cpu
