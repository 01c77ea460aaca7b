#include "compute/cpu/kernels.hpp"
#include "features/formulas.hpp"

namespace tuile::compute {
namespace {
#include "compute/cpu/kernels_evaluate.hpp"
}  // namespace

const Kernels portable_kernels{"portable", evaluate};

}  // namespace tuile::compute
