#pragma once

#include <memory>

#include "tuile/compute/backend.hpp"

namespace tuile::compute {

/// The backend that computes on the processor. executor must outlive it.
std::unique_ptr<Backend> make_cpu_backend(Executor& executor, const BackendOptions& options);

}  // namespace tuile::compute
