#include "compute/cuda_availability.hpp"
#include "tuile/core/error.hpp"

namespace tuile::compute {

Availability cuda_availability() {
  return {false, "this build has no CUDA backend; configure with the preset 'cuda' (make cuda), or ask for 'cpu' or 'auto'"};
}

std::unique_ptr<Backend> make_cuda_backend(Executor&, const BackendOptions&) { throw BackendUnavailable(cuda_availability().reason); }

}  // namespace tuile::compute
