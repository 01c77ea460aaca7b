#pragma once

#include <memory>

#include "tuile/compute/backend.hpp"

namespace tuile::compute {

/// The CUDA backend, or what stands in its place in a build without it: CMake adds the one file or the other.
Availability cuda_availability();
/// Throws BackendUnavailable where cuda_availability() says so. executor must outlive the backend.
std::unique_ptr<Backend> make_cuda_backend(Executor& executor, const BackendOptions& options);

}  // namespace tuile::compute
