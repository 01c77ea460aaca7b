#pragma once

#include <memory>

#include "compute/host_filter.hpp"
#include "tuile/compute/backend.hpp"

/// The CUDA backend, or what stands in its place in a build without it: CMake adds the one file or the other.
namespace tuile::compute::cuda {

inline constexpr const char* backend_name = "cuda";

Availability backend_availability();
/// filter: for tiles that no device holds. executor must outlive the backend.
/// Throws BackendUnavailable where backend_availability() says so.
std::unique_ptr<Backend> make_backend(Executor& executor, const BackendOptions& options, HostFilter filter);

}  // namespace tuile::compute::cuda
