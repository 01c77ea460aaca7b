#include "compute/cpu/kernels.hpp"
#include "features/formulas.hpp"

namespace tuile::compute {
namespace {
#include "compute/cpu/kernels_evaluate.hpp"
}  // namespace

const Kernels avx2_kernels{"AVX2", evaluate};

}  // namespace tuile::compute
