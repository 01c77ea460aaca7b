#include "compute/cuda_registration.hpp"
#include "tuile/core/error.hpp"

namespace tuile::compute::cuda {

Availability backend_availability() {
  return {false, "this build has no CUDA backend; configure with the preset 'cuda' (make cuda), or ask for 'cpu' or 'auto'"};
}

std::unique_ptr<Backend> make_backend(Executor&, const BackendOptions&, HostFilter) {
  throw BackendUnavailable(backend_availability().reason);
}

}  // namespace tuile::compute::cuda
